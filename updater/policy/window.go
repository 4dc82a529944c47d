package policy

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/adhocore/gronx"
)

// Window is a time in which an update may begin.
type Window struct {
	Start    string `json:"start"`          // five fields of cron: minute, hour, day, month, weekday
	Duration string `json:"duration"`       // how long it is open from then on, such as "3h"
	Zone     string `json:"zone,omitempty"` // where the clock of Start hangs: Europe/Berlin, UTC, Local, +02:00; empty: Local
}

// Bounds of a window's duration.
const (
	shortestWindow = time.Minute
	longestWindow  = 31 * 24 * time.Hour
)

// ParseWindow reads a window as people write it: five fields of cron, a duration and, if they like, a zone, such as
// "0 2 * * SUN 3h Europe/Berlin".
func ParseWindow(text string, now time.Time) (Window, error) {
	words := strings.Fields(text)
	if len(words) != 6 && len(words) != 7 {
		return Window{}, fmt.Errorf("window %q: it takes five fields of cron, a duration and a zone, such as '0 2 * * SUN 3h Europe/Berlin'",
			cut(text))
	}
	w := Window{Start: strings.Join(words[:5], " "), Duration: words[5]}
	if len(words) == 7 {
		w.Zone = words[6]
	}
	return w, w.check(now)
}

// String is the window as [ParseWindow] reads it.
func (w Window) String() string { return strings.TrimSpace(w.Start + " " + w.Duration + " " + w.Zone) }

// check says why a window cannot be obeyed.
func (w Window) check(now time.Time) error {
	_, err := w.next(now)
	return err
}

// parts reads the texts of a window.
func (w Window) parts() (length time.Duration, zone *time.Location, err error) {
	if len(strings.Fields(w.Start)) != 5 || !gronx.IsValid(w.Start) {
		return 0, nil, fmt.Errorf("window %q: %q are not five fields of cron (minute, hour, day, month, weekday)", cut(w.String()), cut(w.Start))
	}
	length, err = ParseDuration(w.Duration)
	if err == nil && (length < shortestWindow || length > longestWindow) {
		err = errors.New("a window is open for at least a minute and at most 31 days")
	}
	if err == nil {
		zone, err = ParseZone(w.Zone)
	}
	if err != nil {
		return 0, nil, fmt.Errorf("window %q: %w", cut(w.String()), err)
	}
	return length, zone, nil
}

// last is when the window opened last, at now or before, and when it closes. Zero: it never did, within some years.
func (w Window) last(now time.Time) (opened, closes time.Time, err error) {
	length, zone, err := w.parts()
	if err != nil {
		return time.Time{}, time.Time{}, err
	}
	for clock, end := wall(now, zone).Add(mostTurn), (time.Time{}); ; {
		clock, err = gronx.PrevTickBefore(w.Start, clock, false)
		if err != nil || clock.Before(end) {
			break
		}
		for _, t := range instants(clock, zone) {
			if !t.After(now) && opened.Before(t) {
				opened, end = t, clock.Add(-mostTurn)
			}
		}
	}
	if opened.IsZero() {
		return opened, opened, nil
	}
	return opened, opened.Add(length), nil
}

// next is when the window opens next, after now.
func (w Window) next(now time.Time) (next time.Time, err error) {
	_, zone, err := w.parts()
	if err != nil {
		return next, err
	}
	for clock, end := wall(now, zone).Add(-mostTurn), (time.Time{}); ; {
		clock, err = gronx.NextTickAfter(w.Start, clock, false)
		if err != nil || !end.IsZero() && clock.After(end) {
			break
		}
		for _, t := range instants(clock, zone) {
			if t.After(now) && (next.IsZero() || t.Before(next)) {
				next, end = t, clock.Add(mostTurn)
			}
		}
	}
	if next.IsZero() {
		return next, fmt.Errorf("window %q never opens", cut(w.String()))
	}
	return next, nil
}

// mostTurn is more than clocks are ever turned by at once.
const mostTurn = 3 * time.Hour

// wall is what a clock in a zone shows, as if that were UTC: cron is matched where no clock is ever turned.
func wall(t time.Time, zone *time.Location) time.Time {
	_, offset := t.In(zone).Zone()
	return t.UTC().Truncate(time.Minute).Add(time.Duration(offset) * time.Second)
}

// instants are the times at which the clock in a zone shows a time of [wall]: none where it is skipped, two where it comes twice.
func instants(clock time.Time, zone *time.Location) (list []time.Time) {
	for _, off := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		_, offset := clock.Add(off).In(zone).Zone()
		t := clock.Add(-time.Duration(offset) * time.Second)
		if wall(t, zone).Equal(clock) && (len(list) == 0 || !list[0].Equal(t)) {
			list = append(list, t)
		}
	}
	return list
}

// ParseZone reads a zone: a name of the tz database, UTC, Local, an offset such as +02:00; empty is Local.
func ParseZone(text string) (*time.Location, error) {
	switch {
	case text == "" || strings.EqualFold(text, "local"):
		return time.Local, nil
	case strings.EqualFold(text, "utc") || text == "Z":
		return time.UTC, nil
	case text[0] == '+' || text[0] == '-':
		at, err := time.Parse("-07:00", text)
		if err != nil {
			return nil, fmt.Errorf("%q is no offset such as +02:00", cut(text))
		}
		_, seconds := at.Zone()
		return time.FixedZone(text, seconds), nil
	}
	zone, err := time.LoadLocation(text)
	if err != nil {
		return nil, fmt.Errorf("zone %q is not known on this machine; UTC, Local and offsets such as +02:00 work everywhere, names such as "+
			"Europe/Berlin where the system has the tz database", cut(text))
	}
	return zone, nil
}

// ParseDuration reads a duration as Go writes it, and days: "90m", "72h", "3d", "1d12h".
func ParseDuration(text string) (time.Duration, error) {
	days, rest, has := strings.Cut(text, "d")
	total := time.Duration(0)
	if has {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return 0, fmt.Errorf("%q is no duration such as 90m, 72h or 3d", cut(text))
		}
		if total = time.Duration(n) * 24 * time.Hour; rest == "" {
			return total, nil
		}
		text = rest
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || total+d < 0 {
		return 0, fmt.Errorf("%q is no duration such as 90m, 72h or 3d", cut(text))
	}
	return total + d, nil
}
