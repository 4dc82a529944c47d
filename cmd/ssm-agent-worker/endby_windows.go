package main

import "os"

// endBy is the exit code of a process that a console's event ends (STATUS_CONTROL_C_EXIT): its parent tells an end from outside from one
// of the program's own doing.
func endBy(os.Signal) int {
	const controlC uint32 = 0xC000013A
	return int(controlC)
}
