package launcher

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/windows"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// besideLog is a file of its own: the log could not be put aside while the launcher's own output is open there.
func besideLog(p pointer.Paths) string { return p.LaunchLog() + ".start" }

// detach starts a launcher without a console.
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
	argv := []string{p.Launcher(), "service"}
	if p.Root != "" {
		argv = append(argv, "--root", p.Root)
	}
	env := detachedEnvironment(p, instead)
	const flags = windows.DETACHED_PROCESS | windows.CREATE_NEW_PROCESS_GROUP
	start := func(flags uint32) (*os.Process, error) {
		return os.StartProcess(p.Launcher(), argv, &os.ProcAttr{Dir: p.Root, Env: env,
			Files: []*os.File{null, log, log}, Sys: &syscall.SysProcAttr{CreationFlags: flags}})
	}
	process, err := start(flags | windows.CREATE_BREAKAWAY_FROM_JOB) // a terminal's or a CI's job must not end it
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		process, err = start(flags)
	}
	if err != nil {
		return 0, err
	}
	pid = process.Pid
	_ = process.Release()
	return pid, nil
}
