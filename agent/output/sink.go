package output

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Place says which step's output it is.
type Place struct {
	Dir    string // the folder of the four files
	Plugin string // without colons
	Step   string // without colons
	Open   bool   // the step is not over: it runs again after a reboot, or an updater will add to its files
}

// Sink is one place where output goes when a step ended, before its reply is sent.
type Sink struct {
	Name   string
	Wanted func(Settings) bool
	Keep   func(ctx context.Context, s Settings, p Place) error
}

// Table lists the sinks in the order they are served. Local files come last: what is uploaded may be removed then.
func Table() []Sink {
	return []Sink{
		{Name: "files", Wanted: func(s Settings) bool { return s.CleanUp == afterExecution }, Keep: removeFiles},
	}
}

// afterExecution is the value of Ssm.PluginLocalOutputCleanup that leaves nothing behind.
const afterExecution = "after-execution"

// Keep serves every sink that the settings ask for; one that fails does not stop the others.
func Keep(ctx context.Context, s Settings, p Place) error {
	var err error
	for _, sink := range Table() {
		if sink.Wanted(s) {
			err = errors.Join(err, sink.Keep(ctx, s, p))
		}
	}
	return err
}

func removeFiles(_ context.Context, _ Settings, p Place) error {
	if p.Open {
		return nil
	}
	var failed error
	for _, name := range []string{stdoutFile, stderrFile, stdoutConsole, stderrConsole} {
		if err := os.Remove(filepath.Join(p.Dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}
