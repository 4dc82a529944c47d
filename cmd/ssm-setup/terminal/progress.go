package terminal

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Bar is one long thing under way: a bar on a terminal, else a JSON line at most once a second.
type Bar struct {
	printer     *Printer
	what        string
	done, total int64
	began       time.Time
	follows     bool // its owner calls end, see follow
}

// Progress returns a function that shows how far a long thing is, up to its end. total may be 0 when it is not known.
func (p *Printer) Progress(what string) func(done, total int64) {
	return (&Bar{printer: p, what: what}).Tell
}

// Follow begins a bar among others that are under way at the same time. It stays until end, even where it is not known how far
// the thing is. Where there is neither a terminal nor --json nothing is said.
func (p *Printer) Follow(what string) *Bar {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := &Bar{printer: p, what: what, began: time.Now(), follows: true}
	if p.Terminal && !p.JSON {
		p.bars = append(p.bars, g)
		p.Draw()
	}
	return g
}

// End takes the bar away; a line of its own may take its place.
func (g *Bar) End() {
	g.printer.mu.Lock()
	defer g.printer.mu.Unlock()
	g.printer.drop(g)
	g.printer.Draw()
}

// Tell says how far the thing is, in bytes.
func (g *Bar) Tell(done, total int64) {
	p := g.printer
	p.mu.Lock()
	defer p.mu.Unlock()
	g.done, g.total = done, total
	drawing := p.Terminal && !p.JSON
	if g.follows && (!drawing && !p.JSON || drawing && !slices.Contains(p.bars, g)) {
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
		p.encode(p.Err, map[string]any{"progress": g.what, "done": done, "total": total})
		return
	}
	if !slices.Contains(p.bars, g) {
		g.began = now
		p.bars = append(p.bars, g)
	}
	p.Draw()
}

// Animate redraws the bars until the function it returns is called, so that those move of which only the time is known.
func (p *Printer) Animate() (stop func()) {
	if !p.Terminal || p.JSON {
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
				p.Draw()
				p.mu.Unlock()
			}
		}
	}()
	return func() { close(done); <-ended }
}

// mostBars are drawn at once, so that they never fill a terminal.
const mostBars = 8

// Draw puts the bars where they were drawn before. Callers hold the lock.
func (p *Printer) Draw() {
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
	fmt.Fprint(p.Err, strings.Join(lines, "\n"))
	p.drawn = len(lines)
}

// wipe takes what was drawn off the terminal.
func (p *Printer) wipe() {
	switch {
	case p.drawn > 1:
		fmt.Fprintf(p.Err, "\r\x1b[%dA\x1b[J", p.drawn-1)
	case p.drawn == 1:
		fmt.Fprint(p.Err, "\r\x1b[J")
	}
	p.drawn = 0
}

// settle makes room for other text: bars that have no owner stay behind as they are, the others are wiped; all is for the end
// of a subcommand, which leaves no bar under way.
func (p *Printer) settle(all bool) {
	p.wipe()
	for _, g := range slices.Clone(p.bars) {
		if !g.follows {
			fmt.Fprintln(p.Err, g.line(time.Now()))
		}
		if all || !g.follows {
			p.drop(g)
		}
	}
}

func (p *Printer) drop(g *Bar) {
	p.bars = slices.DeleteFunc(p.bars, func(other *Bar) bool { return other == g })
}

func (g *Bar) line(now time.Time) string {
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
		return name + " " + Size(done)
	}
	full := int(min(int64(width), done*int64(width)/total))
	return fmt.Sprintf("%s [%s%s] %s", name, strings.Repeat("=", full), strings.Repeat(" ", width-full), Size(total))
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
