package host

// CloseOnExec has nothing to do on Windows: handles are inherited only by name.
func CloseOnExec(int) {}
