package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// gauge is one long thing under way: a bar on a terminal, else a JSON line at most once a second.
type gauge struct {
	v           *voice
	what        string
	done, total int64
	began       time.Time
	follows     bool // somebody says when it ends, see follow
}

// progress returns a function that shows how far a long thing is, up to its end. total may be 0 when it is not known.
func (v *voice) progress(what string) func(done, total int64) {
	return (&gauge{v: v, what: what}).tell
}

// follow begins a bar among others that are under way at the same time. It stays until end, even where it is not known how far
// the thing is. Where there is neither a terminal nor --json nothing is said.
func (v *voice) follow(what string) *gauge {
	v.mu.Lock()
	defer v.mu.Unlock()
	g := &gauge{v: v, what: what, began: time.Now(), follows: true}
	if v.terminal && !v.json {
		v.bars = append(v.bars, g)
		v.draw()
	}
	return g
}

// end takes the bar away; a line of its own may take its place.
func (g *gauge) end() {
	g.v.mu.Lock()
	defer g.v.mu.Unlock()
	g.v.drop(g)
	g.v.draw()
}

func (g *gauge) tell(done, total int64) {
	v := g.v
	v.mu.Lock()
	defer v.mu.Unlock()
	g.done, g.total = done, total
	drawing := v.terminal && !v.json
	if g.follows && (!drawing && !v.json || drawing && !slices.Contains(v.bars, g)) {
		return
	}
	finished := total > 0 && done >= total && !g.follows
	pause := time.Second
	if drawing {
		pause = 100 * time.Millisecond
	}
	now := time.Now()
	if !finished && now.Sub(v.last) < pause {
		return
	}
	v.last = now
	if !drawing {
		v.encode(v.err, map[string]any{"progress": g.what, "done": done, "total": total})
		return
	}
	if !slices.Contains(v.bars, g) {
		g.began = now
		v.bars = append(v.bars, g)
	}
	v.draw()
}

// animate redraws the bars until the function it returns is called, so that those move of which only the time is known.
func (v *voice) animate() (stop func()) {
	if !v.terminal || v.json {
		return func() {}
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for tick := time.NewTicker(200 * time.Millisecond); ; {
			select {
			case <-done:
				tick.Stop()
				return
			case <-tick.C:
				v.mu.Lock()
				v.draw()
				v.mu.Unlock()
			}
		}
	}()
	return func() { close(done); <-ended }
}

// mostBars are drawn at once, so that they never fill a terminal.
const mostBars = 8

// draw puts the bars where they were drawn before. Callers hold the lock.
func (v *voice) draw() {
	v.wipe()
	bars := v.bars[:min(len(v.bars), mostBars)]
	if len(bars) == 0 {
		return
	}
	lines := make([]string, len(bars))
	for i, g := range bars {
		lines[i] = g.line(time.Now())
		if len(lines[i]) >= v.width {
			lines[i] = lines[i][:v.width-1] // a line that wraps could not be drawn over
		}
	}
	fmt.Fprint(v.err, strings.Join(lines, "\n"))
	v.drawn = len(lines)
}

// wipe takes what was drawn off the terminal.
func (v *voice) wipe() {
	switch {
	case v.drawn > 1:
		fmt.Fprintf(v.err, "\r\x1b[%dA\x1b[J", v.drawn-1)
	case v.drawn == 1:
		fmt.Fprint(v.err, "\r\x1b[J")
	}
	v.drawn = 0
}

// settle makes room for other text: bars that nobody follows stay behind as they are, the others are wiped; all is for the end
// of a verb, which leaves no bar under way.
func (v *voice) settle(all bool) {
	v.wipe()
	for _, g := range slices.Clone(v.bars) {
		if !g.follows {
			fmt.Fprintln(v.err, g.line(time.Now()))
		}
		if all || !g.follows {
			v.drop(g)
		}
	}
}

func (v *voice) drop(g *gauge) {
	v.bars = slices.DeleteFunc(v.bars, func(other *gauge) bool { return other == g })
}

func (g *gauge) line(now time.Time) string {
	if g.follows && (g.done == 0 || g.total <= 0) {
		return waiting(g.what, now.Sub(g.began))
	}
	return bar(g.what, g.done, g.total)
}

// Widths of the two columns of a bar; a long name takes from the second.
const nameWidth, barWidth = 28, 30

func columns(what string) (name string, width int) {
	if most := nameWidth + barWidth - 10; len(what) > most {
		what = what[:most]
	}
	extra := max(0, len(what)-nameWidth)
	return fmt.Sprintf("%-*s", nameWidth, what), barWidth - extra
}

// bar draws one progress line, at most 79 columns.
func bar(what string, done, total int64) string {
	name, width := columns(what)
	if total <= 0 {
		return name + " " + size(done)
	}
	full := int(min(int64(width), done*int64(width)/total))
	return fmt.Sprintf("%s [%s%s] %s", name, strings.Repeat("=", full), strings.Repeat(" ", width-full), size(total))
}

// waiting draws a line for something of which only the time is known: a block that goes to and fro.
func waiting(what string, since time.Duration) string {
	const block = 4
	name, width := columns(what)
	way := width - block
	at := int(since/(200*time.Millisecond)) % (2 * way)
	if at > way {
		at = 2*way - at
	}
	return fmt.Sprintf("%s [%s%s%s] %.0f s", name, strings.Repeat(" ", at), strings.Repeat("=", block), strings.Repeat(" ", way-at), since.Seconds())
}
