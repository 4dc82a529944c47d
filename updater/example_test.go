package updater_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// An engine is handed what it cannot do itself: the region's bucket, the reporter of answers, the probe of the service. Here they are
// those of a machine made small, see world_test.go; cmd/ssm-agent-worker hands in the true ones. A version that does not become healthy
// is taken back, and blocked until a request names it.
func ExampleEngine_Run() {
	t := &example{}
	defer t.end()
	machine := newWorld(t)
	run := func(want string) {
		outcome, err := machine.engine().Run(context.Background(), ledger.Request{Want: want}, func(string) {})
		if err != nil {
			fmt.Println("error:", err)
			return
		}
		fmt.Printf("%s: %s runs\n", outcome.Kind, outcome.RunningVersion)
	}

	run("latest")
	machine.versions = append(machine.versions, "9.3.0.0")
	machine.nature["9.3.0.0"] = "dead"
	run("latest")
	run("latest")
	run("8.0.0.0")
	// Output:
	// updated: 9.2.0.0 runs
	// rolled-back: 9.2.0.0 runs
	// held: 9.2.0.0 runs
	// downgrade-refused: 9.2.0.0 runs
}

// example is what a machine made small needs of a test.
type example struct {
	testing.TB
	cleanups []func()
}

func (e *example) Helper()          {}
func (e *example) Cleanup(f func()) { e.cleanups = append(e.cleanups, f) }
func (e *example) Fatal(args ...any) {
	panic(fmt.Sprint(args...))
}

func (e *example) TempDir() string {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	e.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (e *example) end() {
	for i := len(e.cleanups) - 1; i >= 0; i-- {
		e.cleanups[i]()
	}
}
