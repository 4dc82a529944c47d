package host

import "errors"

// FolderLock is a lock that this process holds; not there on this system yet.
type FolderLock struct{}

// TryLock would take the lock of a folder.
func TryLock(string) (*FolderLock, int, error) { return nil, 0, errors.ErrUnsupported }

// Rival is the id of another process that holds the same lock.
func (*FolderLock) Rival() (int, bool) { return 0, false }

// Release gives the lock back.
func (*FolderLock) Release() {}

// Holder would name the process that holds the lock of a folder.
func Holder(string) (pid int, held bool, err error) { return 0, false, errors.ErrUnsupported }
