package launcher

import (
	"strconv"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// agent is the child that runs.
type agent struct {
	Line     // the two pipes
	pid      int
	target   pointer.Target
	sequence uint64
	started  time.Time
	silent   int // ticks without a beat
	beating  bool
	killed   bool // for its silence

	ended  bool
	ending string // how it ended, in words
}

// launch starts an agent by the contract of child.go.
func (l *loop) launch(t pointer.Target, file string) (a *agent, err error) {
	a = &agent{target: t, sequence: l.state.Sequence, started: l.System.Now()}
	env := environment(StartVariable + "=" + strconv.FormatUint(a.sequence, 10))
	a.pid, a.Line, err = l.System.Start(file, []string{l.Paths.Worker()}, env, true)
	return a, err
}

// startChild is [System.Start] of the real system.
func (l *loop) startChild(file string, argv, env []string, agent bool) (int, Line, error) {
	if !agent {
		pid, err := l.spawn(file, argv, env)
		return pid, nil, err
	}
	near, far, err := newLine()
	if err != nil {
		return 0, nil, err
	}
	defer far.Close()
	pid, err := l.spawn(file, argv, append(env, far.variables()...), far.handles()...)
	if err != nil {
		near.Close()
	}
	return pid, near, err
}

// tick judges the silence since the last tick; true means that it is too long.
func (a *agent) tick(t Timing) bool {
	if a.Heard() {
		a.beating, a.silent = true, 0
		return false
	}
	a.silent++
	if a.beating {
		return a.silent >= t.NextBeat
	}
	return a.silent >= t.FirstBeat
}

// how tells how it ended.
func (a *agent) how() string {
	if a.killed {
		return "killed, no heartbeat"
	}
	return a.ending
}
