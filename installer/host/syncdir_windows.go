package host

// SyncDir does nothing on Windows: NTFS journals names, and a folder cannot be flushed by itself.
func SyncDir(string) error { return nil }
