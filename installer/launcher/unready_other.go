//go:build !windows

package launcher

// unready is a matter of Windows.
func (l *loop) unready() bool { return false }
