//go:build unix

package launcher

import (
	"os"
	"syscall"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// besideLog is the log itself: it can be put aside while it is open.
func besideLog(p pointer.Paths) string { return p.LaunchLog() }

// detach starts a launcher in a session of its own.
func detach(p pointer.Paths, instead int) (pid int, err error) {
	log, err := openLog(p)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	host.CloseOnExec(3)
	argv := []string{p.Launcher(), "service"}
	if p.Root != "" {
		argv = append(argv, "--root", p.Root)
	}
	defer host.ServiceMask()()
	pid, err = syscall.ForkExec(p.Launcher(), argv, &syscall.ProcAttr{
		Dir:   "/",
		Env:   detachedEnvironment(p, instead),
		Files: []uintptr{null.Fd(), log.Fd(), log.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return 0, &os.PathError{Op: "start", Path: p.Launcher(), Err: err}
	}
	go func() { // a caller that lives on leaves no zombie
		var status syscall.WaitStatus
		_, _ = syscall.Wait4(pid, &status, 0, nil)
	}()
	return pid, nil
}
