package terminal

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// unit is what a bar counts.
type unit int

const (
	bytesUnit   unit = iota
	thingsUnit       // such as regions
	secondsUnit      // done and total are milliseconds
)

// Bar is one long thing under way: a bar on a terminal, a plain line now and then elsewhere, with --json a line at most once a second.
type Bar struct {
	printer     *Printer
	what        string
	unit        unit
	things      string // what is counted
	done, total int64
	first       int64 // done at the beginning: what was there from an earlier run
	began       time.Time
	said        time.Time // a plain line
	ended       time.Time // it is finished
	follows     bool      // its owner calls End, see Follow
}

// Progress returns a function that shows how many bytes of a long thing are done, up to its end. total may be 0 when it is not known.
func (p *Printer) Progress(what string) func(done, total int64) {
	return (&Bar{printer: p, what: what}).Tell
}

// Count is Progress of things that are counted, such as regions.
func (p *Printer) Count(what, things string) func(done, total int64) {
	return (&Bar{printer: p, what: what, unit: thingsUnit, things: things}).Tell
}

// Follow begins a bar among others that are under way at the same time. It stays until end, even where it is not known how far
// the thing is. Where there is neither a terminal nor --json nothing is said.
func (p *Printer) Follow(what string) *Bar {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := &Bar{printer: p, what: what, began: time.Now(), follows: true}
	if p.drawing() {
		p.bars = append(p.bars, g)
		p.draw()
	}
	return g
}

// Timer shows the time that passes of a wait whose usual length is known, until the function it returns is called.
func (p *Printer) Timer(what string, of time.Duration) (stop func()) {
	g := &Bar{printer: p, what: what, unit: secondsUnit, began: time.Now(), said: time.Now()}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			g.Tell(min(time.Since(g.began).Milliseconds(), max(0, of.Milliseconds()-1)), of.Milliseconds())
			select {
			case <-done:
				g.End()
				return
			case <-tick.C:
			}
		}
	}()
	return func() { close(done); <-ended }
}

// End takes the bar away; a line of its own may take its place.
func (g *Bar) End() {
	g.printer.mu.Lock()
	defer g.printer.mu.Unlock()
	g.printer.drop(g)
	g.printer.draw()
}

// plainPause is the time between two plain lines of progress, where there is no terminal.
const plainPause = 5 * time.Second

// Tell shows how far the thing is.
func (g *Bar) Tell(done, total int64) {
	p := g.printer
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if g.began.IsZero() {
		g.began, g.said, g.first = now, now, done
	}
	g.done, g.total = done, total
	finished := total > 0 && done >= total && !g.follows
	if finished && !g.ended.IsZero() {
		return // told once more
	}
	switch {
	case p.Quiet:
	case p.JSON:
		if finished || now.Sub(p.last) >= time.Second {
			p.last = now
			p.encode(p.Err, g.data())
		}
	case p.Terminal:
		g.show(now, finished)
	case !g.follows:
		pause := plainPause
		if p.Verbose {
			pause = time.Second
		}
		if now.Sub(g.said) >= pause {
			g.said = now
			fmt.Fprintln(p.Err, g.plain())
		}
	}
	if finished {
		g.ended = now
	}
}

// show draws the bar among the others. Callers hold the lock.
func (g *Bar) show(now time.Time, finished bool) {
	p := g.printer
	switch {
	case slices.Contains(p.bars, g):
	case g.follows: // it was ended
		return
	default:
		p.bars = append(p.bars, g)
	}
	if finished {
		g.ended = now
	}
	if finished || now.Sub(p.last) >= 100*time.Millisecond {
		p.last = now
		p.draw()
	}
}

// data is the line of --json. Bytes are what is counted where no unit is named.
func (g *Bar) data() map[string]any {
	data := map[string]any{"progress": g.what, "done": g.done, "total": g.total}
	switch g.unit {
	case thingsUnit:
		data["unit"] = g.things
	case secondsUnit:
		data["done"], data["total"], data["unit"] = g.done/1000, g.total/1000, "seconds"
	case bytesUnit:
	}
	return data
}

// drawing tells whether bars are drawn.
func (p *Printer) drawing() bool { return p.Terminal && !p.JSON && !p.Quiet }

// Animate redraws the bars until the function it returns is called, so that those move of which only the time is known.
func (p *Printer) Animate() (stop func()) {
	if !p.drawing() {
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
func (p *Printer) draw() {
	p.wipe()
	bars := p.bars[:min(len(p.bars), mostBars)]
	if len(bars) == 0 {
		return
	}
	lines := make([]string, len(bars))
	for i, g := range bars {
		lines[i] = g.line(time.Now(), p.columns())
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

// settle makes room for other text: bars of what is finished stay behind as they are, the others are drawn anew below it; all is for
// the end of a subcommand, which leaves no bar under way.
func (p *Printer) settle(all bool) {
	p.wipe()
	for _, g := range slices.Clone(p.bars) {
		stays := !g.follows && g.unit != secondsUnit && (all || !g.ended.IsZero())
		if stays {
			fmt.Fprintln(p.Err, g.line(time.Now(), p.columns()))
		}
		if all || stays {
			p.drop(g)
		}
	}
}

func (p *Printer) drop(g *Bar) {
	p.bars = slices.DeleteFunc(p.bars, func(other *Bar) bool { return other == g })
}
