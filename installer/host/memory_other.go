//go:build !linux

package host

// MemoryFolder is "": this system has no folder for files in memory.
func MemoryFolder() string { return "" }

// OwnFolder is for folders in memory, see [MemoryFolder].
func OwnFolder(string) bool { return false }
