package host

import "errors"

// A FolderLock is a shared record lock on a folder, held until Release or the end of the process. Children do not inherit it, a
// read-only disk does not hinder it, and any process may ask who holds it.
//
// A folder that is removed or moved takes the lock with it: another process would find none at the path. So the owner looks now and then,
// by Keep.
//
// The system drops the lock when its owner opens the same folder once more and closes that: so an owner never asks
// through [Holder].

// ErrNoFolder says that the folder of a lock is missing or cannot be opened.
var ErrNoFolder = errors.New("folder of the lock cannot be opened")
