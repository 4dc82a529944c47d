package launcher

import (
	"strconv"
	"time"
)

// watch is the fourth act: it returns when the agent has ended. True means that the service was stopped (the fifth act).
func (l *loop) watch() bool {
	next := l.System.Now().Add(l.Timing.Tick)
	for {
		if l.System.Wait(next.Sub(l.System.Now()), l.stop) {
			l.leave()
			return true
		}
		l.reap()
		if now := l.System.Now(); !now.Before(next) {
			if l.displaced() {
				l.leave()
				return true
			}
			l.tick()
			next = now.Add(l.Timing.Tick)
		}
		if l.agent.ended {
			return false
		}
	}
}

// tick looks for beats, and at a probation.
func (l *loop) tick() {
	a := l.agent
	if a.ended {
		return
	}
	if a.tick(l.Timing) {
		if !a.killed {
			l.alarm("killing agent ", l.version(a.target), " (process ", strconv.Itoa(a.pid), "): no heartbeat")
		}
		a.killed = true
		_ = l.System.Kill(a.pid)
	}
	l.read() // a pointer on probation may have been written, or confirmed
	l.resume()
}

// leave is the fifth act: stop byte, patience, kill that child only.
func (l *loop) leave() {
	a := l.agent
	a.AskToLeave()
	gone := func() bool { l.reap(); return a.ended }
	l.patience(l.Timing.Stop, gone)
	if !a.ended {
		l.warn("killing agent ", l.version(a.target), " (process ", strconv.Itoa(a.pid), "): it did not end in time")
		_ = l.System.Kill(a.pid)
		l.patience(time.Second, gone)
	}
	l.say("stopped")
}

// patience waits for the agent's end, deaf to further requests to stop.
func (l *loop) patience(d time.Duration, gone func() bool) {
	end := l.System.Now().Add(d)
	for left := d; !gone() && left > 0; left = end.Sub(l.System.Now()) {
		l.System.Wait(left, nil)
	}
}
