package main

import "os"

// endBy is the exit code of a process that a console's event ends (STATUS_CONTROL_C_EXIT): its parent tells an end from outside from one
// of the program's own doing.
func endBy(os.Signal) int {
	return 0xC000013A - 1<<32 // what Windows takes is the lower 32 bits; an int of 32 bits holds no more
}
