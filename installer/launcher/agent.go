package launcher

import (
	"strconv"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// agent is the child that runs.
type agent struct {
	line     // the two pipes
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
func (l *loop) launch(t pointer.Target, file string) (*agent, error) {
	near, far, err := newLine()
	if err != nil {
		return nil, err
	}
	defer far.close()
	a := &agent{line: near, target: t, sequence: l.state.Sequence, started: time.Now()}
	env := environment(append(far.variables(), StartVariable+"="+strconv.FormatUint(a.sequence, 10))...)
	if a.pid, err = l.spawn(file, []string{l.Paths.Worker()}, env, far.handles()...); err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

// tick judges the silence since the last tick; true means that it is too long.
func (a *agent) tick(t Timing) bool {
	if a.heard() {
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
