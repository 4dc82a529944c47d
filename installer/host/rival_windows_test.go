package host

// Rival is the id of another process that holds the same lock; on this system there is never one.
func (*FolderLock) Rival() (int, bool) { return 0, false }
