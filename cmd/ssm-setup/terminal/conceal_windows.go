package terminal

import (
	"os"

	"golang.org/x/sys/windows"
)

// conceal has a console not show what is typed; lines and Ctrl-C stay.
func conceal(in *os.File) error {
	var mode uint32
	console := windows.Handle(in.Fd())
	if err := windows.GetConsoleMode(console, &mode); err != nil {
		return err
	}
	return windows.SetConsoleMode(console, mode&^windows.ENABLE_ECHO_INPUT|windows.ENABLE_PROCESSED_INPUT|windows.ENABLE_LINE_INPUT)
}
