package launcher

import (
	"strconv"
	"time"
)

// watch is the fourth act: it returns when the agent has ended. True means that the service was stopped (the fifth act).
func (l *loop) watch() bool {
	ticks := time.NewTicker(l.Timing.Tick)
	defer ticks.Stop()
	for {
		select {
		case <-l.stop:
			l.leave()
			return true
		case <-l.ended:
			l.reap()
		case <-ticks.C:
			l.tick()
		}
		if l.agent.ended {
			return false
		}
	}
}

// tick looks for beats, and at a probation.
func (l *loop) tick() {
	l.reap()
	a := l.agent
	if a.ended {
		return
	}
	if a.tick(l.Timing) {
		if !a.killed {
			l.alarm("killing agent ", l.version(a.target), " (process ", strconv.Itoa(a.pid), "): no heartbeat")
		}
		a.killed = true
		_ = kill(a.pid)
	}
	l.read() // a pointer on probation may have been written, or confirmed
	l.resume()
}

// leave is the fifth act: stop byte, patience, kill that child only.
func (l *loop) leave() {
	a := l.agent
	a.askToLeave()
	gone := func() bool { l.reap(); return a.ended }
	l.patience(l.Timing.Stop, gone)
	if !a.ended {
		l.warn("killing agent ", l.version(a.target), " (process ", strconv.Itoa(a.pid), "): it did not end in time")
		_ = kill(a.pid)
		l.patience(time.Second, gone)
	}
	l.say("stopped")
}

// patience waits for the agent's end, deaf to further requests to stop.
func (l *loop) patience(d time.Duration, gone func() bool) {
	end := time.NewTimer(d)
	defer end.Stop()
	for !gone() {
		select {
		case <-l.ended:
		case <-end.C:
			return
		}
	}
}
