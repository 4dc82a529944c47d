package watch

import (
	"context"
	"time"
)

// Prober makes the updater's own attempts to reach the service beside the watch, for as long as they matter.
type Prober struct {
	probe  func(context.Context) error
	every  time.Duration
	answer chan error
	open   bool
	next   time.Time
	asked  bool
}

// NewProber asks by probe, a third of the watch after the last answer.
func NewProber(probe func(context.Context) error, watch time.Duration) *Prober {
	return &Prober{probe: probe, every: max(watch/3, 300*time.Millisecond), answer: make(chan error, 1)}
}

// Step tells the rules of an answer, and asks again when it is time. It never blocks.
func (a *Prober) Step(ctx context.Context, p *Probation, now time.Time) {
	select {
	case err := <-a.answer:
		p.Probed(now, err)
		a.open, a.next = false, now.Add(a.every)
	default:
	}
	if a.open || !p.NeedsProbe() || now.Before(a.next) {
		return
	}
	a.open, a.asked = true, true
	go func() { a.answer <- a.probe(ctx) }()
}

// Asked reports whether the service was asked at all.
func (a *Prober) Asked() bool { return a.asked }

// End waits for the attempt under way, whose context is to be cancelled before.
func (a *Prober) End() {
	if a.open {
		<-a.answer //nolint:errcheck // the attempt was called off, its answer does not matter
		a.open = false
	}
}
