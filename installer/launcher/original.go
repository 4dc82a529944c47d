//go:build linux || windows

package launcher

import (
	"bytes"
	"io"
	"os"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// findOriginal finds an original agent at work: a process that was started from the launcher's path or from the worker's without
// arguments and whose program, which may have been replaced on disk since, is not of ours in any build. The original's worker
// counts too: it outlives a main program that was killed. A process of
// another account, or of another container, is none. 0 = none.
func findOriginal(p pointer.Paths) int {
	pids, err := host.Processes()
	if err != nil {
		return 0
	}
	for _, pid := range pids {
		exe, err := host.ProcessExecutable(pid)
		here := pointer.SamePath(exe, p.Launcher()) || pointer.SamePath(exe, p.Worker())
		if pid == os.Getpid() || err != nil || !here || !host.Trusted(pid) {
			continue
		}
		if args, err := host.ProcessArguments(pid); err == nil && len(args) > 1 {
			continue // a call with arguments
		}
		if foreign(pid) {
			return pid
		}
	}
	return 0
}

// marked reports whether a program has [Mark] in it; an error says that it could not be read to its end.
func marked(program io.Reader) (bool, error) {
	mark := []byte(Mark)
	buf := make([]byte, 0, 64<<10)
	for {
		n, err := program.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if bytes.Contains(buf, mark) {
			return true, nil
		}
		if err == io.EOF {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		keep := min(len(buf), len(mark))
		buf = buf[:copy(buf, buf[len(buf)-keep:])]
	}
}
