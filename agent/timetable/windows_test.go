package timetable_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/timetable"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
	"github.com/ssm-setup/ssm-setup/updater/policy"
	"github.com/ssm-setup/ssm-setup/updater/schedule"
)

// windowed is a loop of a host with windows, which asks its policy as the agent does.
func windowed(l installer.Layout, windows ...string) timetable.Loop {
	p := policy.Policy{}
	for _, text := range windows {
		w, err := policy.ParseWindow(text, begin)
		if err != nil {
			panic(err)
		}
		p.Windows = append(p.Windows, w)
	}
	return timetable.Loop{Layout: l, Follow: schedule.Latest, Period: schedule.Usual,
		Hours: func() schedule.Hours { return p.Opening },
		Permit: func(now time.Time, seen schedule.Seen, last time.Time) (string, string, time.Time, bool) {
			v := p.Scheduled(now, seen.Version, policy.Facts{Why: ledger.ByTimer, Running: manifests.MustVersion("9.1"), LastLook: last})
			return v.Reason, v.Text, v.Until, v.Allowed
		}}
}

func TestAHostThatIsAlwaysOnTakesAReleaseInItsNextWindowHoweverShort(t *testing.T) {
	places := map[time.Time]bool{}
	for _, length := range []time.Duration{time.Minute, 10 * time.Minute, 5 * time.Hour} {
		for n := range 6 {
			for _, out := range []time.Duration{0, 20 * time.Hour} { // the release is there before the first look, or later
				w, l := &world{now: begin, version: "9.1.0.0", host: fmt.Sprint("mi-", n)}, installer.At(t.TempDir())
				opens := time.Date(2026, 12, 1, 2, 0, 0, 0, time.UTC) // 29 h after the beginning
				loop := windowed(l, fmt.Sprintf("0 2 * * TUE %s UTC", length))
				w.run(t, loop, out)
				w.version, w.asked, w.at = "9.2.0.0", nil, nil
				w.run(t, loop, opens.Add(length).Sub(w.now))
				if len(w.asked) == 0 {
					t.Fatalf("%s, a window of %s: not asked; looks at %v", w.host, length, w.at)
				}
				last := w.at[len(w.at)-1]
				if last.Before(opens) || !last.Before(opens.Add(length)) {
					t.Errorf("%s, a window of %s: asked at %s", w.host, length, last)
				}
				places[last] = true
			}
		}
	}
	if len(places) < 15 {
		t.Errorf("hosts with the same window look at %d times", len(places))
	}
}

func TestWindowsMakeAHostLookOnceAnHourAtMost(t *testing.T) {
	for _, windows := range [][]string{{"*/5 * * * * 1m UTC"}, {"0 * * * * 10m UTC"}, {"0 0 * * * 24h UTC"}, {"0 * * * * 1h UTC"},
		{"0 2 * * * 10m UTC"}, {"0 2 * * * 10m UTC", "30 2 * * * 10m UTC", "0 14 * * * 1h UTC"}} {
		for n := range 2 {
			w, l := &world{now: begin, version: "9.1.0.0", host: fmt.Sprint("mi-", n)}, installer.At(t.TempDir())
			loop := windowed(l, windows...)
			for range 6 { // restarts change nothing
				w.run(t, loop, 4*time.Hour)
			}
			for i := range w.at[1:] {
				if gap := w.at[i+1].Sub(w.at[i]); gap < time.Hour {
					t.Errorf("%v, %s: %s between two looks", windows, w.host, gap)
				}
			}
			if span := w.now.Sub(begin); w.looks < int(span/(9*time.Hour)) || len(w.asked) > 0 {
				t.Errorf("%v, %s: %d looks in %s, asked %v", windows, w.host, w.looks, span, w.asked)
			}
		}
	}
}

func TestAWindowThatIsSetBetweenTwoLooksCounts(t *testing.T) {
	w, l := &world{now: begin, version: "9.1.0.0"}, installer.At(t.TempDir())
	w.run(t, timetable.Loop{Layout: l, Follow: schedule.Latest, Period: schedule.Usual}, 7*time.Hour)
	w.version, w.at = "9.2.0.0", nil
	opens := w.now.Add(45 * time.Minute).Truncate(time.Minute)
	loop := windowed(l, fmt.Sprintf("%d %d * * * 15m UTC", opens.Minute(), opens.Hour()))
	w.run(t, loop, time.Hour)
	if len(w.asked) != 1 || w.at[len(w.at)-1].Before(opens) {
		t.Errorf("it opens at %s; looks at %v", opens, w.at)
	}
}

func TestAHostThatSleptThroughItsWindowCatchesUpAndOneThatLookedDoesNot(t *testing.T) {
	for _, slept := range []bool{false, true} {
		w, l := &world{now: begin, version: "9.1.0.0"}, installer.At(t.TempDir())
		loop := windowed(l, "0 2 * * * 10m UTC")
		w.run(t, loop, 4*time.Hour+30*time.Minute)
		if slept {
			w.now = begin.Add(6 * time.Hour)
		} else {
			w.run(t, loop, begin.Add(6*time.Hour).Sub(w.now)) // through 02:00
		}
		w.version = "9.2.0.0"
		w.run(t, loop, 6*time.Hour)
		if (len(w.asked) == 1) != slept {
			t.Errorf("slept %t: asked %v, looks at %v", slept, w.asked, w.at)
		}
	}
}

// docs/protocol/update.md, "Scheduled self-update", on a host that has windows.
func TestSelfUpdateRunsInTheWindowsOfTheHost(t *testing.T) {
	for n := range 4 {
		w := &world{now: begin, host: fmt.Sprint("mi-", n)}
		m := manifests.NewManifest("u")
		m.Add("p", "f", manifests.FileVersion{Version: "9.1.0.0", Status: manifests.Deprecated})
		m.Add("p", "f", manifests.FileVersion{Version: "9.0.0.0"})
		loop := windowed(installer.At(t.TempDir()), "0 2 * * * 10m UTC")
		loop.Follow, loop.SelfUpdate = "", schedule.SelfUpdatePeriod(1)
		var reads []time.Time
		loop.Listing = func(context.Context) (manifests.Listing, error) {
			reads = append(reads, w.now)
			return m.Listing("p", "f")
		}
		w.run(t, loop, 96*time.Hour)
		if len(reads) == 0 || len(w.asked) != len(reads) {
			t.Fatalf("%s: %v", w.host, reads)
		}
		for _, at := range reads {
			if at.Hour() != 2 || at.Minute() >= 10 {
				t.Errorf("%s runs at %s", w.host, at)
			}
		}
	}
}
