package launcher

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// largestLog is the size in bytes at which the log of a detached launcher is put aside (one old one is kept).
const largestLog = 1 << 20

// detachedEnvironment is what a detached launcher gets; under a root shared credentials go to a file inside the installation.
func detachedEnvironment(p pointer.Paths, instead int) []string {
	variable := detachedVariable + "=" + strconv.Itoa(instead)
	if p.Root == "" {
		return host.CleanEnvironment(os.Environ(), "", variable)
	}
	return host.CleanEnvironment(os.Environ(), p.Credentials(), variable)
}

// openLog opens the file of what a detached launcher says before and beside its own lines, or none: an agent without a log is better
// than no agent.
func openLog(p pointer.Paths) (*os.File, error) {
	_ = os.MkdirAll(p.Logs(), 0o755)
	if log, err := (host.Rolling{Path: besideLog(p), Size: largestLog, Keep: 1, Mode: 0o600}).Open(); err == nil {
		return log, nil
	}
	return os.OpenFile(os.DevNull, os.O_RDWR, 0)
}

// detachedVariable tells a launcher that it was started without a service manager: "0", or the id of the launcher that it takes
// over from. A launcher that does not know it waits behind the other one, as it would under a service manager.
const detachedVariable = "SSM_DETACHED"

func detachedBy(value string) (detached bool, instead int) {
	instead, err := strconv.Atoi(value)
	return err == nil, instead
}

// The pid file says that an installation without a service manager is meant to run, and is what its starting and stopping have to
// agree on: a start of the first launcher makes it, a stop of the service removes it first. A detached launcher that does not
// find it ends; the one that holds the launcher lock puts its id into it, in place, and removes it when it was asked to end. So one
// that is left tells of a launcher that died, and no launcher outlives a stop, however late it comes to life.

// pidText has one size, so that an id is overwritten in place.
func pidText(pid string) []byte { return []byte(pid + strings.Repeat(" ", 11-len(pid)) + "\n") }

// announce makes the pid file where there is none, without an id yet.
func announce(p pointer.Paths) (made bool, err error) {
	if _, err := os.Stat(p.PidFile()); err == nil {
		return false, nil
	}
	if err := os.MkdirAll(p.Data(), 0o755); err != nil {
		return false, err
	}
	return true, host.WriteFile(p.PidFile(), pidText(""), 0o644)
}

// wanted reports whether this launcher still has something to do.
func (l *loop) wanted() bool {
	_, err := os.Stat(l.Paths.PidFile())
	return !l.Detached || !errors.Is(err, fs.ErrNotExist)
}

// claim puts the id of a detached launcher, which has the lock, into the pid file. False: the service was stopped meanwhile. One that a
// service manager started removes what an image or a detached launcher left: a lost launcher would be started a second time.
func (l *loop) claim() bool {
	if !l.Detached && !namesPid(l.Paths, os.Getpid()) {
		_ = os.Remove(l.Paths.PidFile())
	}
	return !l.Detached || !errors.Is(writePid(l.Paths, strconv.Itoa(os.Getpid())), fs.ErrNotExist)
}

// unseat has a detached launcher make room for this one, which a service manager started. Without the pid file its agent starts no other.
func (l *loop) unseat(holder int) {
	if namesPid(l.Paths, holder) && os.Remove(l.Paths.PidFile()) == nil {
		_ = End(l.Paths, holder)
	}
}

// writePid overwrites the id in the pid file, which has to be there.
func writePid(p pointer.Paths, pid string) error {
	f, err := os.OpenFile(p.PidFile(), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(pidText(pid), 0)
	return errors.Join(err, f.Close())
}

// forgetPid is a detached launcher's last act when it was asked to end: a pid file that is left tells of one that died.
func forgetPid(p pointer.Paths) {
	if namesPid(p, os.Getpid()) {
		_ = os.Remove(p.PidFile())
	}
}

// namesPid tells whether the pid file has this id.
func namesPid(p pointer.Paths, pid int) bool {
	text, err := os.ReadFile(p.PidFile())
	return err == nil && strings.TrimSpace(string(text)) == strconv.Itoa(pid)
}

// Detach starts the launcher of an installation as the service without a service manager: in a session of its own, with a clean
// environment, pid file and log. It does not wait for it. Beside another launcher the new one ends.
func Detach(p pointer.Paths) (pid int, err error) {
	made, err := announce(p)
	if err != nil {
		return 0, err
	}
	if pid, err = detach(p, 0); err != nil && made {
		_ = os.Remove(p.PidFile())
	}
	return pid, err
}

// Replace starts a detached launcher that takes over from the running one: there is no moment without either. It does not wait for it.
func Replace(p pointer.Paths, running int) (pid int, err error) {
	if _, err := announce(p); err != nil {
		return 0, err
	}
	if err := writePid(p, ""); err != nil { // no longer the old one's, which would remove it
		return 0, err
	}
	if pid, err = detach(p, running); err != nil {
		_ = writePid(p, strconv.Itoa(running))
	}
	return pid, err
}

// Unmanaged reports whether an installation is meant to run, and lives without a service manager: no other program than ours would start
// its launcher again.
func Unmanaged(p pointer.Paths) bool {
	_, err := os.Stat(p.PidFile())
	return err == nil
}

// Revive starts a detached launcher again for an installation that lives without a service manager and whose launcher died: the
// last act of its agent, see [Child.LauncherGone], and of an updater that finds neither. It does nothing without a pid file (under a
// service manager, after an orderly stop) and beside a launcher that lives.
func Revive(p pointer.Paths) (pid int, err error) {
	if !Unmanaged(p) {
		return 0, nil
	}
	if _, running := Running(p); running {
		return 0, nil
	}
	return detach(p, 0)
}
