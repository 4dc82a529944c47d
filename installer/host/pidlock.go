package host

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// PidLockLife is how long a pid lock counts without being renewed (docs/protocol/update.md, "The update lock").
const PidLockLife = 60 * time.Minute

// ErrLocked says that another process holds a pid lock. errors.As with [*LockedError] names it.
var ErrLocked error = &kindError{kind: "busy", text: "locked by other process"}

// LockedError is [ErrLocked] with the process that is in the way.
type LockedError struct{ PID int }

func (e *LockedError) Error() string {
	return ErrLocked.Error() + " (process " + strconv.Itoa(e.PID) + ")"
}

// Kind is the word of manifests/fault for a lock that another process holds.
func (*LockedError) Kind() string { return "busy" }

// Is makes it an [ErrLocked].
func (e *LockedError) Is(target error) bool { return target == ErrLocked }

// A PidLock is the lock file of docs/protocol/update.md, "The update lock", shared with original agents and updaters: <path> holds the
// owner's id and a line end, <path>.expire the Unix second from which on it no longer counts. It is taken by hard-linking a
// finished file to its name, so no reader ever finds half of one.
type PidLock struct {
	path string
	pid  int
	now  func() time.Time
}

// PidHolder decides whether a living process may be the one that wrote a lock at that time. See [IsUpdater].
type PidHolder func(pid int, written time.Time) bool

// TakePidLock takes the lock for this process. path is absolute and its folder exists. A holder that is dead, expired or, by
// may, some other program that got the same id, is replaced; a true one is [ErrLocked].
func TakePidLock(path string, may PidHolder, now func() time.Time) (*PidLock, error) {
	l := &PidLock{path: path, pid: os.Getpid(), now: now}
	var err error
	for range 20 {
		if err = l.link(); err == nil {
			return l, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		found := identified(path)
		if pid, held := l.holder(may); held {
			return nil, &LockedError{pid}
		}
		if err := l.clear(found); err != nil {
			return nil, err
		}
	}
	return nil, err
}

// PidLockHolder names the process that holds a pid lock and still counts.
func PidLockHolder(path string, may PidHolder, now func() time.Time) (pid int, held bool) {
	l := &PidLock{path: path, now: now}
	return l.holder(may)
}

// holder is the owner by the file, if it is alive, not this process, and not expired.
func (l *PidLock) holder(may PidHolder) (int, bool) {
	pid, written, err := readPid(l.path)
	if err != nil || pid == l.pid || !Alive(pid) || l.expired() || !may(pid, written) {
		return 0, false
	}
	return pid, true
}

// link puts a finished file in the lock's place, if there is none.
func (l *PidLock) link() error {
	f, err := os.CreateTemp(filepath.Dir(l.path), "."+filepath.Base(l.path)+".*") // a name that RemoveUnfinished knows
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(strconv.Itoa(l.pid) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), l.path); err != nil {
		return err
	}
	mine, err := os.Stat(f.Name())
	if err != nil {
		return err
	}
	if there, err := os.Stat(l.path); err != nil || !os.SameFile(mine, there) {
		return fs.ErrExist
	}
	return l.Renew()
}

// identified is a file as it is now; nil: there is none. Windows reads which file it is only when that is asked for, by the path, where
// another file may lie by then: so it is asked for at once.
func identified(path string) fs.FileInfo {
	info, err := os.Stat(path)
	if err != nil || !os.SameFile(info, info) {
		return nil
	}
	return info
}

// clear takes away a lock that was found not to count. Two may find that at once: what is taken away is looked at again, and put
// back if meanwhile it is another one's.
func (l *PidLock) clear(found fs.FileInfo) error {
	if found == nil {
		return nil // gone by itself
	}
	if err := ignoreMissing(os.Remove(l.path + ".expire")); err != nil {
		return err // the expiry first: one that is left alone would judge the next lock
	}
	aside := filepath.Join(filepath.Dir(l.path), "."+filepath.Base(l.path)+".stale."+strconv.Itoa(l.pid))
	if err := os.Rename(l.path, aside); err != nil {
		return ignoreMissing(err)
	}
	defer os.Remove(aside)
	taken, err := os.Stat(aside)
	if err != nil {
		return ignoreMissing(err)
	}
	if !os.SameFile(found, taken) || !found.ModTime().Equal(taken.ModTime()) {
		_ = os.Link(aside, l.path)
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Renew makes the lock count for another [PidLockLife].
func (l *PidLock) Renew() error {
	lapse := l.now().Add(PidLockLife).Unix()
	return WriteFile(l.path+".expire", []byte(strconv.FormatInt(lapse, 10)+"\n"), 0o600)
}

// Release gives the lock back, if it is still this process's.
func (l *PidLock) Release() error {
	if pid, _, err := readPid(l.path); err != nil || pid != l.pid {
		return nil
	}
	return l.remove()
}

// remove takes away the expiry first, as clear does.
func (l *PidLock) remove() error {
	return errors.Join(ignoreMissing(os.Remove(l.path+".expire")), ignoreMissing(os.Remove(l.path)))
}

// expired follows the specification: no file means no expiry, one that cannot be understood means expired.
func (l *PidLock) expired() bool {
	b, err := os.ReadFile(l.path + ".expire")
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	lapse, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	return err != nil || l.now().Unix() >= lapse
}

// errPid says that a lock file holds no process id.
var errPid = errors.New("no process id in lock file")

func readPid(path string) (pid int, written time.Time, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, time.Time{}, err
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, time.Time{}, err
	}
	pid, err = strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || pid <= 0 {
		return 0, time.Time{}, errPid
	}
	return pid, info.ModTime(), nil
}

// IsUpdater is the [PidHolder] of the update lock: a process that was there when the lock was written, so in this boot, and that
// runs a program that may hold it: an updater or agent, ours or an original's, the setup tool, or the shell of a package's script.
// Where the system does not tell, the process is believed.
func IsUpdater(pid int, written time.Time) bool {
	const slack = 3 * time.Second // start times are rounded
	if started, err := ProcessStart(pid); err == nil && started.After(written.Add(slack)) {
		return false
	}
	exe, err := ProcessExecutable(pid)
	if err != nil {
		return true
	}
	name := strings.TrimSuffix(filepath.Base(exe), ".exe")
	return slices.Contains([]string{"updater", "amazon-ssm-agent", "ssm-agent-worker", "ssm-document-worker", "ssm-setup", "ssm-setup-cli",
		"sh", "ash", "dash", "bash", "busybox"}, name)
}
