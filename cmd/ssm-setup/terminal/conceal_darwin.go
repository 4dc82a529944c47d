package terminal

import (
	"os"

	"golang.org/x/sys/unix"
)

// conceal has a terminal not show what is typed; lines and Ctrl-C stay.
func conceal(in *os.File) error {
	fd := int(in.Fd())
	mode, err := unix.IoctlGetTermios(fd, unix.TIOCGETA)
	if err != nil {
		return err
	}
	mode.Lflag &^= unix.ECHO
	mode.Lflag |= unix.ICANON | unix.ISIG
	mode.Iflag |= unix.ICRNL
	return unix.IoctlSetTermios(fd, unix.TIOCSETA, mode)
}
