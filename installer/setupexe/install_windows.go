package setupexe

import (
	"errors"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/windows"
)

// install runs the system's own msiexec, whatever the search path says.
func install(o order, pkg string) (int, error) {
	system, err := windows.GetSystemDirectory()
	if err != nil {
		return 0, err
	}
	msiexec := filepath.Join(system, "msiexec.exe")
	cmd := exec.Command(msiexec)
	cmd.SysProcAttr = &syscall.SysProcAttr{CmdLine: o.line(msiexec, pkg)}
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}
