package runner

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// largestLog is the size in bytes at which a job's log is put aside; one old one is kept.
const largestLog = 1 << 20

func jobLog(dir string) *host.RollingFile {
	return host.Rolling{Path: filepath.Join(dir, logFile), Size: largestLog, Keep: 1, Mode: 0o600}.File()
}

// outlet gives a worker a bounded way to the log of its job, for its output and errors. The function is to be called after the start,
// whatever came of it; its channel is closed when all that was printed is in the log.
func outlet(cmd *exec.Cmd, dir string) (started func() (all <-chan struct{}), err error) {
	mark, err := os.OpenFile(filepath.Join(dir, logFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	mark.Close() // an agent knows by this file, empty too, that the folder is a worker's of ours
	near, far, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = far, far
	return func() <-chan struct{} {
		far.Close()
		all := make(chan struct{})
		go func() {
			defer close(all)
			defer near.Close()
			log := jobLog(dir)
			defer func() { _ = log.Close() }()
			add := func(line string) { _, _ = log.Write([]byte(line)) }
			prints := host.Prints{Who: "the document worker", Take: add, Note: func(text string) { add(text + "\n") }}
			prints.Read(near)
		}()
		return all
	}, nil
}

// ownLog is where a worker's own lines go: to the agent that started it, and into the job's log when that agent is gone.
type ownLog struct{ alone *host.RollingFile }

func (l ownLog) Write(line []byte) (int, error) {
	if n, err := os.Stderr.Write(line); err == nil {
		return n, nil
	}
	return l.alone.Write(line)
}

// keepCrash has a crash of this worker, whose agent is gone, written into the job's log.
func keepCrash(dir string) {
	if crash, err := os.OpenFile(filepath.Join(dir, logFile), os.O_APPEND|os.O_WRONLY, 0o600); err == nil {
		_ = debug.SetCrashOutput(crash, debug.CrashOptions{})
		_ = crash.Close() // the runtime has its own
	}
}
