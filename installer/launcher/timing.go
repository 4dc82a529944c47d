package launcher

import "time"

// Timing are the launcher's numbers. Tests shorten them; the product uses [Design].
type Timing struct {
	Tick      time.Duration // how often beats are looked for
	FirstBeat int           // ticks without a first beat that count as silence
	NextBeat  int           // ticks without another
	Orphan    time.Duration // how long an agent that lost its launcher may take to leave
	Stop      time.Duration // how long the agent may take after the stop byte
	Deaths    int           // deaths within Window that move on to the next in the ring
	Fewer     int           // by a signal from outside on trial, or within Window of a confirmation: so many do
	Window    time.Duration
	Delay     time.Duration // after a first death; doubles while deaths go on
	DelayMax  time.Duration
	Calm      time.Duration // a life so long ends a row of deaths
	Resume    time.Duration // between two starts of the updater while on probation
	Beside    time.Duration // age of an updater beside which another is started
	Original  time.Duration // patience with an original's main program
	Look      time.Duration // how often it looks again while it waits for something
}

// Design returns the numbers of the product.
func Design() Timing {
	return Timing{
		Tick:      5 * time.Second,
		FirstBeat: 24,
		NextBeat:  6,
		Orphan:    5 * time.Second,
		Stop:      5 * time.Second,
		Deaths:    3,
		Fewer:     2,
		Window:    30 * time.Minute,
		Delay:     time.Second,
		DelayMax:  time.Minute,
		Calm:      10 * time.Minute,
		Resume:    10 * time.Second,
		Beside:    35 * time.Minute,
		Original:  5 * time.Minute,
		Look:      200 * time.Millisecond,
	}
}
