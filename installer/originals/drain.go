package originals

import (
	"os"
	"path/filepath"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// How long commands under way are waited for before this project's agent gives way to the original.
const (
	drainTime  = 10 * time.Minute
	drainPause = time.Second
)

// ErrCommandsRun says that the agent is not exchanged, since commands that it took are not answered yet.
var ErrCommandsRun = fault.New(fault.Busy, "commands still run on this machine, and only the agent that took them can answer them",
	"wait until they end, or cancel them; then run the same command again")

// drain stops this project's agent once all commands that it took are answered. The original could not answer them: it knows nothing of
// their workers. A command that the agent takes between the last look and its end is on disk then: it is started again and waited for,
// too. Commands that come later stay with the service until the original asks for them.
func (w *work) drain() error {
	if w.change.begun(stepPackage) {
		return nil // an earlier run has
	}
	told := false
	for spent := time.Duration(0); ; spent += drainPause {
		if w.underWay() == 0 {
			if err := w.System.Service.Stop(w.ctx); err != nil {
				return err
			}
			w.at("while it is stopped")
			if w.underWay() == 0 {
				return nil
			}
			if err := w.System.Service.Start(w.ctx); err != nil {
				return err
			}
		}
		if spent >= drainTime {
			return ErrCommandsRun
		}
		if !told {
			told = true
			w.Ports.Step("commands run: they are waited for, at most %s", drainTime)
		}
		if err := w.System.Pause(w.ctx, drainPause); err != nil {
			return err
		}
	}
}

// goOn has this project's agent run again.
func (w *work) goOn() error { return w.System.Service.Start(w.ctx) }

// underWay counts the commands that are not answered yet: state files of every identity, on disk and, for a full disk, in memory
// (docs/protocol/runcommand.md, "State tree").
func (a *Agent) underWay() (n int) {
	trees := []string{filepath.Join(a.Data(), "*", "document", "state")}
	if a.Layout.System() {
		trees = append(trees, filepath.Join("/run", "ssm-setup", "*"))
	}
	for _, tree := range trees {
		for _, state := range []string{"pending", "current"} {
			files, _ := filepath.Glob(filepath.Join(tree, state, "*")) // the pattern is well formed
			for _, file := range files {
				if info, err := os.Lstat(file); err == nil && info.Mode().IsRegular() {
					n++
				}
			}
		}
	}
	return n
}
