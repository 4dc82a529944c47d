//go:build unix

package launcher

import (
	"strconv"
	"syscall"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// agent is the child that runs.
type agent struct {
	pid      int
	target   pointer.Target
	sequence uint64
	started  time.Time
	stopPipe int // write end
	beatPipe int // read end
	silent   int // ticks without a beat
	beating  bool
	killed   bool // for its silence

	ended  bool
	status syscall.WaitStatus
}

// launch starts an agent by the contract of child.go.
func launch(p pointer.Paths, t pointer.Target, file string, sequence uint64) (*agent, error) {
	var stop, beat [2]int
	if err := pipe(&stop); err != nil {
		return nil, err
	}
	defer syscall.Close(stop[0])
	if err := pipe(&beat); err != nil {
		syscall.Close(stop[1])
		return nil, err
	}
	defer syscall.Close(beat[1])
	a := &agent{target: t, sequence: sequence, started: time.Now(), stopPipe: stop[1], beatPipe: beat[0]}
	env := environment(StartVariable + "=" + strconv.FormatUint(sequence, 10))
	var err error
	if a.pid, err = spawn(file, []string{p.Worker()}, env, []int{stop[0], beat[1]}); err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

// pipe makes both ends non-blocking and close-on-exec.
func pipe(ends *[2]int) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := syscall.Pipe(ends[:]); err != nil {
		return err
	}
	for _, fd := range ends {
		syscall.CloseOnExec(fd)
		_ = syscall.SetNonblock(fd, true)
	}
	return nil
}

// heard empties the beat pipe and reports whether there was a beat.
func (a *agent) heard() bool {
	var buf [64]byte
	heard := false
	for {
		n, err := syscall.Read(a.beatPipe, buf[:])
		if n > 0 {
			heard = true
		}
		if err == syscall.EINTR {
			continue
		}
		if n < len(buf) {
			return heard
		}
	}
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

func (a *agent) askToLeave() { _, _ = syscall.Write(a.stopPipe, []byte{'s'}) }

func (a *agent) kill() { _ = syscall.Kill(a.pid, syscall.SIGKILL) }

func (a *agent) close() {
	syscall.Close(a.stopPipe)
	syscall.Close(a.beatPipe)
}

// how tells how it ended.
func (a *agent) how() string {
	switch {
	case a.killed:
		return "killed for its silence"
	case a.status.Signaled():
		return "signal " + strconv.Itoa(int(a.status.Signal()))
	default:
		return "exit code " + strconv.Itoa(a.status.ExitStatus())
	}
}
