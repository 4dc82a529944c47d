package updater_test

import (
	"errors"
	"io"
	"iter"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
)

// launching is a launcher of the world: the true one, on the world's clock. It has a turn until it waits, and says until when.
type launching struct {
	w     *world
	until time.Time // it waits so long, unless a child ends
	ends  []ended   // children that it did not collect yet
	turn  func() (time.Time, bool)
	kill  func()
}

// ended is a child of the launcher's that ended.
type ended struct {
	pid int
	how string
}

// outside is how an end from outside reads on this system.
func outside() string {
	if runtime.GOOS == "windows" {
		return "exit code 1"
	}
	return "signal 9"
}

// errKilled ends a launcher in the middle of what it does.
var errKilled = errors.New("killed")

// boot starts a launcher, which knows of no deaths. One that runs is killed with its agent.
func (w *world) boot() {
	w.killLauncher()
	w.agent, w.deaths = nil, 0
	l := &launching{w: w, until: w.now}
	waits := func(yield func(time.Time) bool) {
		defer func() {
			if r := recover(); r != nil && r != errKilled { //nolint:errorlint // it is this very value
				panic(r)
			}
		}()
		s := launcher.Service{Paths: w.layout.Pointer(), Stamp: w.floor, Timing: launcher.Design(), Log: io.Discard, System: launcher.System{
			Now: func() time.Time { return w.now },
			Wait: func(d time.Duration, _ <-chan os.Signal) bool {
				if len(l.ends) == 0 && !yield(w.now.Add(d)) {
					panic(errKilled)
				}
				return false
			},
			Start: l.start,
			Next:  l.next,
			Kill: func(pid int) error {
				if w.agent != nil && w.agent.pid == pid {
					w.endAgent("signal 9")
				}
				return nil
			},
		}}
		must(w.t, s.Run())
	}
	l.turn, l.kill = iter.Pull(iter.Seq[time.Time](waits))
	w.launcher = l
}

// killLauncher is the death of the launcher; its agent, if any, is the caller's to end.
func (w *world) killLauncher() {
	if w.launcher != nil {
		w.launcher.kill()
		w.launcher = nil
	}
}

// restart is the service's: another launcher, and another agent.
func (w *world) restart() {
	w.again = w.now
	w.boot()
}

// live is the launcher's and the agent's part of a second.
func (w *world) live() {
	for l := w.launcher; l != nil && !w.now.Before(w.again) && (len(l.ends) > 0 || !w.now.Before(l.until)); {
		var waits bool
		if l.until, waits = l.turn(); !waits {
			l, w.launcher = nil, nil
		}
	}
	a := w.agent
	if a == nil {
		return
	}
	age := w.now.Sub(a.born)
	switch nature := w.nature[a.version]; {
	case nature == "dead", nature == "brief" && age > 20*time.Second:
		w.deaths++
		w.endAgent("exit code 3")
		return
	case nature == "killed" && age > 10*time.Second:
		w.deaths++
		w.endAgent(outside())
		return
	case nature == "hang":
		return
	case w.reachable && nature != "mute":
		a.trip = w.now
	}
	if w.now.Sub(a.pulse.At) >= beat {
		a.beat = true
		a.pulse.Beats++
		a.pulse.At, a.pulse.LastRoundTrip = w.now, a.trip
		if w.lanes {
			a.pulse.LastPing, a.pulse.Lanes = a.trip, map[string]installer.Lane{}
			if w.nature[a.version] != "takes no commands" {
				a.pulse.Lanes["ec2messages"] = installer.Lane{Answered: a.trip}
			}
		}
		_ = installer.WritePulse(w.layout.Pulse(), a.pulse)
	}
}

// endAgent is the end of the agent's process, which the launcher collects.
func (w *world) endAgent(how string) {
	if w.agent != nil && w.launcher != nil {
		w.launcher.ends = append(w.launcher.ends, ended{w.agent.pid, how})
	}
	w.agent = nil
}

// start is the birth of a process. An updater that the launcher starts ends at once: tests start their own.
func (l *launching) start(file string, _, env []string, agent bool) (int, launcher.Line, error) {
	w := l.w
	w.pids++
	pid := 1000 + w.pids
	if !agent {
		l.ends = append(l.ends, ended{pid, "exit code 0"})
		return pid, nil, nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return 0, nil, err
	}
	version, _, _ := strings.Cut(strings.SplitAfter(string(content), "version=")[1], "\x00")
	sequence := uint64(0)
	for _, variable := range env {
		if text, ok := strings.CutPrefix(variable, launcher.StartVariable+"="); ok {
			if sequence, err = strconv.ParseUint(text, 10, 64); err != nil {
				return 0, nil, err
			}
		}
	}
	w.agent = &process{pid: pid, file: file, version: version, born: w.now, pulse: installer.Pulse{PID: pid, Started: w.now, Version: version,
		Hash: host.SHA256Bytes(content), Sequence: sequence, InstanceID: w.instance, BootID: "boot"}}
	return pid, line{w.agent}, nil
}

// next collects a child that ended.
func (l *launching) next() (pid int, how string, found bool) {
	if len(l.ends) == 0 {
		return 0, "", false
	}
	e := l.ends[0]
	l.ends = l.ends[1:]
	return e.pid, e.how, true
}

// line is the launcher's end of the pipes to an agent.
type line struct{ agent *process }

// Heard reports whether the agent beat since the last call.
func (l line) Heard() bool {
	heard := l.agent.beat
	l.agent.beat = false
	return heard
}

// AskToLeave is not used: no test stops the launcher in an orderly way.
func (line) AskToLeave() {}

// Close has nothing to close.
func (line) Close() {}
