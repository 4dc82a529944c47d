package launcher

import (
	"errors"
	"io/fs"
	"strconv"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// singleInstance is the first act: wait until no other launcher, no agent without one and no original agent runs here. True means that the
// service is to stop.
func (l *loop) singleInstance() bool {
	return l.soleLauncher() || !l.claim() || l.agentGone() || l.originalGone()
}

func (l *loop) soleLauncher() bool {
	said, asked, others := 0, false, 0
	for {
		lock, holder, err := lockFolder(l.Paths.LauncherLock())
		if err != nil {
			l.warn("cannot take the launcher lock, going on without it: ", err.Error())
			return false
		}
		if lock != nil {
			l.lock = lock
			return false
		}
		if said != holder+1 {
			l.say("another launcher is running (process ", strconv.Itoa(holder), "); waiting for its end")
			said = holder + 1
		}
		wait := 5 * l.Timing.Look
		switch {
		case !l.Detached:
			l.unseat(holder)
		case holder != 0 && holder == l.Instead:
			wait = l.Timing.Look / 10
			if !asked {
				asked = true
				_ = End(l.Paths, holder)
			}
		default:
			if others++; others > 1 { // two that came at once may both have stepped back
				l.say("another launcher is running: this one ends")
				return true
			}
		}
		if l.pause(wait, nil) || !l.wanted() {
			return true
		}
	}
}

// displaced looks after the launcher lock: its folder may have been removed or moved. True means that another launcher has it by now, so
// that this one ends, its agent first.
func (l *loop) displaced() bool {
	holder, lost, err := l.lock.Keep()
	if err != nil && !l.unlocked {
		l.warn("cannot take the launcher lock anew, its folder is gone: ", err.Error())
	}
	if l.unlocked = err != nil; lost {
		l.alarm("another launcher has the lock (process ", strconv.Itoa(holder), "), for the lock's folder was removed or moved: this one ends")
	}
	return lost
}

// agentGone waits for an agent whose launcher died. It is leaving; one that takes too long is killed.
func (l *loop) agentGone() bool {
	last, since := -1, time.Now()
	for {
		pid, held, err := host.Holder(l.Paths.AgentLock())
		if err != nil || !held {
			return false
		}
		if pid != last {
			l.warn("an agent whose launcher has ended is still running (process ", strconv.Itoa(pid), "); waiting for its end")
			last, since = pid, time.Now()
		}
		if time.Since(since) >= l.Timing.Orphan && owned(l.Paths, pid) {
			l.warn("killing the agent whose launcher has ended (process ", strconv.Itoa(pid), "): it did not end in time")
			_ = kill(pid)
			since = time.Now()
		}
		if l.pause(l.Timing.Look, nil) {
			return true
		}
	}
}

// originalGone waits for an original agent, asks it to end when that takes long, and kills it when it does not.
func (l *loop) originalGone() bool {
	last, asked, since := 0, 0, time.Now()
	for {
		pid := findOriginal(l.Paths)
		if pid == 0 {
			return false
		}
		if pid != last {
			l.warn("an original agent is running from here (process ", strconv.Itoa(pid), "); waiting for its end")
			last, since = pid, time.Now()
		}
		if pid == asked && time.Since(since) >= 6*l.Timing.Stop {
			l.warn("killing the original agent (process ", strconv.Itoa(pid), "): it did not end in time")
			_ = kill(pid)
		} else if pid != asked && time.Since(since) >= l.Timing.Original {
			l.warn("asking the original agent to end (process ", strconv.Itoa(pid), ")")
			_ = terminate(pid)
			asked, since = pid, time.Now()
		}
		if l.pause(5*l.Timing.Look, nil) {
			return true
		}
	}
}

// owned reports whether a process runs a program of this installation.
func owned(p pointer.Paths, pid int) bool {
	if pid <= 1 {
		return false
	}
	exe, err := host.ProcessExecutable(pid)
	return err == nil && p.Owns(exe) && host.Trusted(pid)
}

// isGone tells a pointer that was removed from one that cannot be read.
func isGone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, pointer.ErrSlot) }
