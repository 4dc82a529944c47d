package runner_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/runner"
)

// behaviourVariable has a worker of the tests do something besides its job.
const behaviourVariable = "TEST_WORKER_BEHAVIOUR"

var behaviours = map[string]func(dir string){
	"flood": func(string) {
		for range 8 << 10 {
			fmt.Fprintln(os.Stderr, strings.Repeat("x", 1<<10))
		}
	},
	"talk": func(dir string) { // says something after its agent is gone
		go func() {
			for ; !there(dir, "left"); time.Sleep(10 * time.Millisecond) {
			}
			for range 100 {
				fmt.Fprintln(os.Stderr, "talk")
			}
			_ = os.WriteFile(filepath.Join(dir, "talked"), nil, 0o600)
		}()
	},
	"crash": func(dir string) {
		go func() {
			for ; !there(dir, "crash"); time.Sleep(10 * time.Millisecond) {
			}
			panic("told to")
		}()
	},
	"crash alone": func(dir string) {
		go func() {
			for ; !hasLog(dir); time.Sleep(10 * time.Millisecond) {
			}
			panic("told to")
		}()
	},
}

// hasLog tells whether this process has its job's log open, for a crash.
func hasLog(dir string) bool {
	for fd := range 64 {
		if path, err := os.Readlink(fmt.Sprint("/proc/self/fd/", fd)); err == nil && path == filepath.Join(dir, "log") {
			return true
		}
	}
	return false
}

func there(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

// briefAgent has the test program be an agent that starts the worker of the job in a folder, and leaves.
const briefAgent = "TEST_AGENT_OF"

func startAndLeave(dir string) int {
	self, err := os.Executable()
	if err == nil {
		_, err = runner.Start(context.Background(), runner.Spec{Dir: dir, Executable: self, Argv0: workerName})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for ; !there(dir, "events"); time.Sleep(10 * time.Millisecond) {
	}
	return 0
}
