package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// progressBar is one long thing under way: a bar on a terminal, else a JSON line at most once a second.
type progressBar struct {
	printer     *printer
	what        string
	done, total int64
	began       time.Time
	follows     bool // its owner calls end, see follow
}

// progress returns a function that shows how far a long thing is, up to its end. total may be 0 when it is not known.
func (p *printer) progress(what string) func(done, total int64) {
	return (&progressBar{printer: p, what: what}).tell
}

// follow begins a bar among others that are under way at the same time. It stays until end, even where it is not known how far
// the thing is. Where there is neither a terminal nor --json nothing is said.
func (p *printer) follow(what string) *progressBar {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := &progressBar{printer: p, what: what, began: time.Now(), follows: true}
	if p.terminal && !p.json {
		p.bars = append(p.bars, g)
		p.draw()
	}
	return g
}

// end takes the bar away; a line of its own may take its place.
func (g *progressBar) end() {
	g.printer.mu.Lock()
	defer g.printer.mu.Unlock()
	g.printer.drop(g)
	g.printer.draw()
}

func (g *progressBar) tell(done, total int64) {
	p := g.printer
	p.mu.Lock()
	defer p.mu.Unlock()
	g.done, g.total = done, total
	drawing := p.terminal && !p.json
	if g.follows && (!drawing && !p.json || drawing && !slices.Contains(p.bars, g)) {
		return
	}
	finished := total > 0 && done >= total && !g.follows
	pause := time.Second
	if drawing {
		pause = 100 * time.Millisecond
	}
	now := time.Now()
	if !finished && now.Sub(p.last) < pause {
		return
	}
	p.last = now
	if !drawing {
		p.encode(p.err, map[string]any{"progress": g.what, "done": done, "total": total})
		return
	}
	if !slices.Contains(p.bars, g) {
		g.began = now
		p.bars = append(p.bars, g)
	}
	p.draw()
}

// animate redraws the bars until the function it returns is called, so that those move of which only the time is known.
func (p *printer) animate() (stop func()) {
	if !p.terminal || p.json {
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
				p.mu.Lock()
				p.draw()
				p.mu.Unlock()
			}
		}
	}()
	return func() { close(done); <-ended }
}

// mostBars are drawn at once, so that they never fill a terminal.
const mostBars = 8

// draw puts the bars where they were drawn before. Callers hold the lock.
func (p *printer) draw() {
	p.wipe()
	bars := p.bars[:min(len(p.bars), mostBars)]
	if len(bars) == 0 {
		return
	}
	lines := make([]string, len(bars))
	for i, g := range bars {
		lines[i] = g.line(time.Now())
		if len(lines[i]) >= p.width {
			lines[i] = lines[i][:p.width-1] // a line that wraps could not be drawn over
		}
	}
	fmt.Fprint(p.err, strings.Join(lines, "\n"))
	p.drawn = len(lines)
}

// wipe takes what was drawn off the terminal.
func (p *printer) wipe() {
	switch {
	case p.drawn > 1:
		fmt.Fprintf(p.err, "\r\x1b[%dA\x1b[J", p.drawn-1)
	case p.drawn == 1:
		fmt.Fprint(p.err, "\r\x1b[J")
	}
	p.drawn = 0
}

// settle makes room for other text: bars that have no owner stay behind as they are, the others are wiped; all is for the end
// of a subcommand, which leaves no bar under way.
func (p *printer) settle(all bool) {
	p.wipe()
	for _, g := range slices.Clone(p.bars) {
		if !g.follows {
			fmt.Fprintln(p.err, g.line(time.Now()))
		}
		if all || !g.follows {
			p.drop(g)
		}
	}
}

func (p *printer) drop(g *progressBar) {
	p.bars = slices.DeleteFunc(p.bars, func(other *progressBar) bool { return other == g })
}

func (g *progressBar) line(now time.Time) string {
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
	return fmt.Sprintf("%s [%s%s%s] %.0f s", name, strings.Repeat(" ", at), strings.Repeat("=", block), strings.Repeat(" ", way-at),
		since.Seconds())
}
