package terminal

import (
	"os"

	"golang.org/x/term"
)

// vivid tells whether what is written there is seen on a terminal that can redraw and colour.
func vivid(to any) bool {
	f, ok := to.(*os.File)
	return ok && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd())) && obeys(f)
}
