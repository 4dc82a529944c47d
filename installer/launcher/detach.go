package launcher

import (
	"os"
	"strconv"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// largestLog is the size in bytes at which the log of a detached launcher is put aside (one old one is kept).
const largestLog = 1 << 20

// cleanEnvironment is what a detached launcher gets of env: nothing of AWS's, no activation, no variable of ours; and shared
// credentials go to a file inside the installation.
func cleanEnvironment(p pointer.Paths, env []string) []string {
	var out []string
	for _, e := range env {
		if strings.HasPrefix(e, "AWS_") || strings.HasPrefix(e, "SSM_ACTIVATION_") || ofContract(e) {
			continue
		}
		out = append(out, e)
	}
	return append(out, "AWS_SHARED_CREDENTIALS_FILE="+p.Credentials())
}

// openLog opens the log of a detached launcher for appending.
func openLog(p pointer.Paths) (*os.File, error) {
	if err := os.MkdirAll(p.Logs(), 0o755); err != nil {
		return nil, err
	}
	path := p.LaunchLog()
	if info, err := os.Stat(path); err == nil && info.Size() > largestLog {
		_ = os.Rename(path, path+".1")
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
}

// forgetPid is a detached launcher's last act when it was asked to end: a pid file that is left tells of one that died.
func forgetPid(p pointer.Paths) {
	if p.Root == "" {
		return
	}
	text, err := os.ReadFile(p.PidFile())
	if err == nil && strings.TrimSpace(string(text)) == strconv.Itoa(os.Getpid()) {
		_ = os.Remove(p.PidFile())
	}
}

// Revive starts a detached launcher again for an installation that lives without a service manager and whose launcher died: the
// last act of its agent, see [Child.LauncherGone], and of an updater that finds neither. It does nothing for the system, after an
// orderly stop, or beside a launcher that lives.
func Revive(p pointer.Paths) (pid int, err error) {
	if p.Root == "" {
		return 0, nil
	}
	if _, err := os.Stat(p.PidFile()); err != nil {
		return 0, nil
	}
	if _, running := Running(p); running {
		return 0, nil
	}
	return Detach(p)
}
