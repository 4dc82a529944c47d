package launcher

import (
	"os"
	"os/signal"
)

// execute runs the program as a child, for this system cannot replace a process, and returns its code.
func execute(file string, args []string) (int, error) {
	signal.Notify(make(chan os.Signal, 1), os.Interrupt) // the child decides
	p, err := os.StartProcess(file, args, &os.ProcAttr{Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}})
	if err != nil {
		return 0, err
	}
	state, err := p.Wait()
	if err != nil {
		return 1, nil // it ran
	}
	return state.ExitCode(), nil
}
