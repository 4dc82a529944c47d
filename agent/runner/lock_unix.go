//go:build unix

package runner

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// lockJob locks the job for this process until it ends; false: another process has it. The lock lies on a folder of its
// own, so that nothing else the worker opens can drop it.
func lockJob(dir string) (bool, error) {
	path := filepath.Join(dir, lockName)
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return false, err
	}
	lock, _, err := host.TryLock(path)
	return lock != nil, err
}

// holder tells whether a worker lives, and its pid (0: in another process namespace).
func holder(dir string) (pid int, held bool, err error) {
	pid, held, err = host.Holder(filepath.Join(dir, lockName))
	if errors.Is(err, os.ErrNotExist) {
		return 0, false, nil
	}
	return pid, held, err
}
