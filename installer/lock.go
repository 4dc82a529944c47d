package installer

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// ErrBusy says that another update, installation or removal is under way. errors.As with [*host.LockedError] names its process.
var ErrBusy = host.ErrLocked

// UpdateLock is the right to change an installation: the pid lock that original agents know, and a folder lock between ours, which
// ends with the process whatever happens to it.
type UpdateLock struct {
	pid    *host.PidLock
	folder *host.FolderLock
}

// LockUpdate takes the update lock of an installation, or fails with [ErrBusy] at once.
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
	if err != nil {
		folder.Release()
		return nil, err
	}
	return &UpdateLock{pid, folder}, nil
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
func (u *UpdateLock) Renew() error { return u.pid.Renew() }

// Release gives the lock back.
func (u *UpdateLock) Release() error {
	err := u.pid.Release()
	u.folder.Release()
	return err
}

// UpdateLockHolder names the process that holds the update lock, if one does. The holder itself must not ask.
func UpdateLockHolder(l Layout) (pid int, held bool) {
	if pid, held, err := host.Holder(l.Pointer().UpdaterLock()); err == nil && held {
		return pid, true
	}
	return host.PidLockHolder(l.UpdateLock(), host.IsUpdater, time.Now)
}
