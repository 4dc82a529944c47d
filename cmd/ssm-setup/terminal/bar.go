package terminal

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Widths of the name and of the bar itself, in columns. A long name takes from the bar, and a narrow terminal from both.
const (
	nameWidth, leastName = 28, 12
	barWidth, leastBar   = 30, 8
)

// line draws a bar into at most width-1 columns: a line that wraps could not be drawn over.
func (g *Bar) line(now time.Time, width int) string {
	if g.follows && (g.done == 0 || g.total <= 0) {
		return waiting(g.what, now.Sub(g.began), width-1)
	}
	if g.total <= 0 {
		return arrange(g.what, nil, []string{g.amount(g.done), g.rate(now)}, width-1)
	}
	full := func(width int) int { return int(min(int64(width), g.done*int64(width)/g.total)) }
	part := g.amount(g.done) + " of " + g.amount(g.total)
	fields := []string{fmt.Sprintf("%3d%%", min(100, g.done*100/g.total)), part, g.rest(now), g.rate(now)}
	switch {
	case !g.ended.IsZero():
		fields = []string{"100%", g.amount(g.total), fmt.Sprintf("in %.1f s", g.ended.Sub(g.began).Seconds())}
	case g.unit == secondsUnit:
		fields = []string{part}
	}
	return arrange(g.what, func(width int) string {
		return strings.Repeat("=", full(width)) + strings.Repeat(" ", width-full(width))
	}, fields, width-1)
}

// plain is how far the thing is, where there is no terminal.
func (g *Bar) plain() string {
	if g.total <= 0 {
		return g.what + ": " + g.amount(g.done)
	}
	return fmt.Sprintf("%s: %d%% (%s of %s)", g.what, min(100, g.done*100/g.total), g.amount(g.done), g.amount(g.total))
}

func (g *Bar) amount(n int64) string {
	switch g.unit {
	case thingsUnit:
		if n == g.total {
			return fmt.Sprintf("%d %s", n, g.things)
		}
		return fmt.Sprint(n)
	case secondsUnit:
		return fmt.Sprintf("%d s", (n+999)/1000)
	case bytesUnit:
	}
	return Size(n)
}

// perSecond is how fast it goes, zero in its first second.
func (g *Bar) perSecond(now time.Time) float64 {
	if d := now.Sub(g.began).Seconds(); d >= 1 && g.done > g.first {
		return float64(g.done-g.first) / d
	}
	return 0
}

func (g *Bar) rate(now time.Time) string {
	if n := g.perSecond(now); n > 0 && g.unit == bytesUnit {
		return Size(int64(n)) + "/s"
	}
	return ""
}

func (g *Bar) rest(now time.Time) string {
	n := g.perSecond(now)
	if n <= 0 {
		return ""
	}
	left := time.Duration(float64(g.total-g.done) / n * float64(time.Second)).Round(time.Second)
	switch {
	case left > time.Hour:
		return fmt.Sprintf("%d h %d min left", int(left.Hours()), int(left.Minutes())%60)
	case left > time.Minute:
		return fmt.Sprintf("%d min %d s left", int(left.Minutes()), int(left.Seconds())%60)
	}
	return fmt.Sprintf("%d s left", int(left.Seconds()))
}

// arrange puts name, bar and fields into a line of at most width columns. Where there is no room, fields are left out from the last
// on, then the bar, then the end of the name. The first field is always there.
func arrange(name string, bar func(width int) string, fields []string, width int) string {
	var tail string
	rest := func() int { return width - utf8.RuneCountInString(tail) }
	for i, field := range fields {
		if field == "" {
			continue
		}
		next := tail + " " + field
		least := leastName
		if bar != nil && i > 0 {
			least += leastBar + 3
		}
		if i > 0 && width-utf8.RuneCountInString(next) < least {
			break
		}
		tail = next
	}
	if bar == nil || rest() < leastName+leastBar+3 {
		return padded(name, max(0, min(nameWidth, rest()))) + tail
	}
	long := min(max(nameWidth, utf8.RuneCountInString(name)), nameWidth+barWidth-10, rest()-leastBar-3)
	wide := min(barWidth-max(0, long-nameWidth), rest()-long-3)
	return padded(name, long) + " [" + bar(wide) + "]" + tail
}

// padded is a text of exactly so many columns.
func padded(text string, width int) string {
	if n := utf8.RuneCountInString(text); n <= width {
		return text + strings.Repeat(" ", width-n)
	}
	return string([]rune(text)[:width])
}

// waiting draws a line for something of which only the time is known: a block that goes to and fro.
func waiting(what string, since time.Duration, width int) string {
	const block = 4
	return arrange(what, func(width int) string {
		way := width - block
		at := int(since/(200*time.Millisecond)) % (2 * way)
		if at > way {
			at = 2*way - at
		}
		return strings.Repeat(" ", at) + strings.Repeat("=", block) + strings.Repeat(" ", way-at)
	}, []string{fmt.Sprintf("%.0f s", since.Seconds())}, width)
}
