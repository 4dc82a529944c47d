package service

import (
	"os"
	"os/exec"
	"strings"
)

// managed tells whether a service manager that packages know runs here: systemd or upstart as process 1, in this root folder. The
// rule is that of the package scripts (installer/pack): they enable and start the service where it holds.
func managed() bool {
	init, err := os.ReadFile("/proc/1/comm")
	if err != nil {
		return false
	}
	switch strings.TrimSpace(string(init)) {
	case "systemd":
		info, err := os.Stat("/run/systemd/system")
		return err == nil && info.IsDir() && found("systemctl") && !chrooted()
	case "init":
		return found("initctl")
	}
	return false
}

func found(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// chrooted tells whether process 1 has another root folder; an account that may not look is taken to have the same.
func chrooted() bool {
	theirs, err := os.Stat("/proc/1/root/.")
	if err != nil {
		return false
	}
	own, err := os.Stat("/")
	return err == nil && !os.SameFile(theirs, own)
}
