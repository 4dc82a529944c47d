package terminal

import (
	"os"

	"golang.org/x/sys/windows"
)

// obeys has a console obey control sequences; those before Windows 10 do not.
func obeys(f *os.File) bool {
	var mode uint32
	console := windows.Handle(f.Fd())
	if err := windows.GetConsoleMode(console, &mode); err != nil {
		return false
	}
	return windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
