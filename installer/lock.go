package installer

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// ErrBusy says that another update, installation or removal is under way. errors.As with [*host.LockedError] names its process.
var ErrBusy = host.ErrLocked

// UpdateLock is the right to change an installation: the pid lock that original agents know, and a folder lock between ours, which
// ends with the process whatever happens to it.
type UpdateLock struct {
	pid    *host.PidLock // nil: the disk is full
	folder *host.FolderLock
}

// LockUpdate takes the update lock of an installation, or fails with [ErrBusy] at once. On a full disk it is the folder lock alone,
// which needs no room: an open update has to come to its end there too. No original begins an update of its own on such a disk.
func LockUpdate(l Layout) (*UpdateLock, error) {
	folder, err := lockFolder(l.Pointer().UpdaterLock())
	if err != nil {
		return nil, err
	}
	path := l.UpdateLock()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		folder.Release()
		return nil, err
	}
	pid, err := host.TakePidLock(path, host.IsUpdater, time.Now)
	if errors.Is(err, syscall.ENOSPC) && folder != nil {
		if holder, held := host.PidLockHolder(path, host.IsUpdater, time.Now); held {
			err = &host.LockedError{PID: holder}
		} else {
			return &UpdateLock{nil, folder}, nil
		}
	}
	if err != nil {
		folder.Release()
		return nil, err
	}
	return &UpdateLock{pid, folder}, nil
}

// LockUpdateWhile takes the update lock, waiting for it for up to patience and as long as its holder is worth waiting for.
func LockUpdateWhile(l Layout, patience time.Duration, worth func() bool) (*UpdateLock, error) {
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		lock, err := LockUpdate(l)
		if !errors.Is(err, ErrBusy) || time.Now().After(end) || !worth() {
			return lock, err
		}
	}
}

// lockFolder takes the lock between ours; nil without an error where the system has none.
func lockFolder(dir string) (*host.FolderLock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock, holder, err := host.TryLock(dir)
	if errors.Is(err, errors.ErrUnsupported) {
		return nil, nil
	}
	if err == nil && lock == nil {
		return nil, &host.LockedError{PID: holder}
	}
	return lock, err
}

// Renew tells originals that this update is still under way; once in half an hour is enough.
func (u *UpdateLock) Renew() error {
	if u.pid == nil {
		return nil
	}
	return u.pid.Renew()
}

// Keep looks whether the folder of the lock is still there, see [host.FolderLock]. lost: another process has the lock by now, and the
// holder must not go on.
func (u *UpdateLock) Keep() (holder int, lost bool, err error) { return u.folder.Keep() }

// Release gives the lock back.
func (u *UpdateLock) Release() error {
	defer u.folder.Release()
	if u.pid == nil {
		return nil
	}
	return u.pid.Release()
}

// UpdateLockHolder names the process that holds the update lock, if one does. The holder itself must not ask.
func UpdateLockHolder(l Layout) (pid int, held bool) {
	if pid, held, err := host.Holder(l.Pointer().UpdaterLock()); err == nil && held {
		return pid, true
	}
	return host.PidLockHolder(l.UpdateLock(), host.IsUpdater, time.Now)
}
