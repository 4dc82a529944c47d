//go:build unix

package host

// Rival is the id of another process that holds the same lock.
func (l *FolderLock) Rival() (int, bool) {
	pid, held, err := query(l.fd)
	return pid, held && err == nil
}
