package launcher

import "strconv"

// Exit codes of processes that were ended from outside. Windows keeps no record of who ended a process: TerminateProcess leaves the code
// that its caller chose, which is 1 for Task Manager and taskkill. A program may choose 1 as well; one on trial that does gets a
// second life, no more. Faults have codes of their own, such as 0xC0000005, and a Go program that breaks has 2.
const (
	codeTerminated = 1
	codeConsole    = 0xC000013A // STATUS_CONTROL_C_EXIT: Ctrl-C, a console that was closed, a shutdown
	codeShutdown   = 0x40010004 // DBG_TERMINATE_PROCESS: ended with the session
)

// fromOutside knows the codes that stand for an end from outside.
func fromOutside(how string) bool {
	for _, code := range []uint64{codeTerminated, codeConsole, codeShutdown} {
		if how == "exit code "+strconv.FormatUint(code, 10) {
			return true
		}
	}
	return false
}
