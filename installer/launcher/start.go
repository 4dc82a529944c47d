package launcher

import (
	"errors"
	"os"
	"slices"
	"strconv"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// start is the second and third act: it leaves a running agent in l.agent. True means that the service is to stop.
func (l *loop) start() bool {
	for {
		if l.displaced() {
			return true
		}
		l.read()
		waited := l.backoff > 0
		if l.waitBackoff() {
			return true
		}
		if l.walk() {
			return false
		}
		clear(l.deaths) // nothing is left: the ring begins anew
		if l.backoff == 0 && !waited {
			l.setBackoff(pointer.Target{})
		}
	}
}

// waitBackoff waits what a death made due; less when the next agent is another one, and no longer once the pointer moves.
func (l *loop) waitBackoff() bool {
	if l.backoff == 0 {
		return false
	}
	d, sequence := l.backoff, l.state.Sequence
	for _, t := range l.state.Ring(facts(l.Paths, l.state, l.Stamp)) {
		if !l.exhausted(t) {
			if t != l.backoffOf && !l.backoffOf.IsZero() {
				d = min(d, l.Timing.Delay)
			}
			break
		}
	}
	l.backoff = 0
	return l.pause(d, func() bool { l.read(); return l.state.Sequence != sequence })
}

// walk starts the ring's first agent that is sound, not spent and, on probation, paid for with a token. One for which there is
// no token goes to the end, and there is started all the same.
func (l *loop) walk() bool {
	ring := l.state.Ring(facts(l.Paths, l.state, l.Stamp))
	atEnd := false
	for i := 0; i < len(ring); i++ {
		t := ring[i]
		if l.exhausted(t) {
			continue
		}
		file, err := pointer.Check(l.Paths, t)
		if err != nil {
			l.alarm("cannot start agent ", l.version(t), ": ", err.Error())
			if ownFault(err) {
				return false
			}
			l.noteDeath(t, l.state.Sequence, 0, couldNot(err))
			continue
		}
		if l.state.Probation && t == l.state.Active && !atEnd {
			if err := pointer.TakeToken(l.Paths, l.state.Sequence); err != nil {
				l.alarm("cannot try ", l.version(t), ": ", err.Error())
				if ownFault(err) {
					return false
				}
				if !errors.Is(err, pointer.ErrNoToken) {
					l.noteDeath(t, l.state.Sequence, 0, notTried+err.Error())
				}
				ring, atEnd = append(ring, t), true
				continue
			}
		}
		a, err := l.launch(t, file)
		if err == nil {
			l.agent = a
			l.say("started agent ", l.version(t), " (process ", strconv.Itoa(a.pid), ")")
			l.resume()
			return true
		}
		l.alarm("cannot start agent ", l.version(t), ": ", err.Error())
		l.noteDeath(t, l.state.Sequence, 0, couldNot(err))
		if ownFault(err) {
			return false // not the version's: the same one again, after a while
		}
	}
	return false
}

// couldNot is the note of a version that did not become a process.
func couldNot(err error) string {
	if host.IsDiskFault(err) {
		return notTried + err.Error()
	}
	return notStarted + err.Error()
}

// ownFault tells a system without room for another process or open file from a program that cannot be started.
func ownFault(err error) bool {
	for _, e := range noRoom() {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// resume lets the next in the ring look after the probation of the active one: the updater that made it may be gone. Where nothing
// else is sound, the active one has to. An updater that lives so long that it may be stuck gets another beside it, which finds out.
func (l *loop) resume() {
	since := l.System.Now().Sub(l.resumed)
	if !l.state.Probation || (!l.resumed.IsZero() && since < l.Timing.Resume) || (l.resumer != 0 && since < l.Timing.Beside) {
		return
	}
	l.resumed = l.System.Now()
	ring := l.state.Ring(facts(l.Paths, l.state, l.Stamp))
	ring = slices.DeleteFunc(ring, func(t pointer.Target) bool { return t == l.state.Active })
	for _, t := range append(ring, l.state.Active) {
		file, err := pointer.Check(l.Paths, t)
		if err != nil {
			continue
		}
		pid, _, err := l.System.Start(file, []string{"updater", "resume"}, environment(), false)
		if err != nil {
			l.warn("cannot start the updater of ", l.version(t), ": ", err.Error())
			continue
		}
		l.resumer = pid
		return
	}
}

// environment is the launcher's own without the variables of the contract.
func environment(more ...string) []string {
	return append(host.WithoutVariables(os.Environ(), contractVariables()...), more...)
}

// contractVariables are the contract's entries of an environment, up to their values.
func contractVariables() []string {
	return []string{StartVariable + "=", stopVariable + "=", beatVariable + "=", detachedVariable + "="}
}
