package runner

import (
	"os"
	"os/exec"
)

// A worker waits most of its life. With one processor of its own the Go runtime is up in half the time, which is most of
// what a short command costs. Scripts must not inherit that: the worker takes the variable away again.
const (
	procsVariable = "GOMAXPROCS"
	aloneVariable = "SSM_DOCUMENT_WORKER_ALONE"
)

// oneProcessor gives the worker one processor, unless a number is set for the whole agent.
func oneProcessor(cmd *exec.Cmd) {
	if os.Getenv(procsVariable) == "" {
		cmd.Env = append(cmd.Environ(), procsVariable+"=1", aloneVariable+"=1")
	}
}

// restoreProcessors is the worker's side.
func restoreProcessors() {
	if os.Getenv(aloneVariable) != "" {
		os.Unsetenv(aloneVariable)
		os.Unsetenv(procsVariable)
	}
}
