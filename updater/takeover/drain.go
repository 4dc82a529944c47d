package takeover

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// How long documents under way are waited for. Where ours takes over, what goes on longer is no obstacle: its worker outlives the exchange,
// and ours follows it. The original knows nothing of a worker of ours and could not answer its command: there the exchange is not made.
// One that waits for a reboot has asked for it, and the machine goes down at any moment: seven rounds of 30 s from then on, as
// docs/protocol/update.md, "Windows install delayer". A document that waits for its turn counts as one that runs: it begins as soon as
// another one ends.
const (
	drainTime  = time.Minute
	leaveTime  = 10 * time.Minute
	rebootTime = 7 * 30 * time.Second
	drainPause = time.Second
)

// drain lets documents end with the agent that began them.
func (w *work) drain(ctx context.Context) error {
	id, err := w.Identity()
	if err != nil || id == "" {
		return nil //nolint:nilerr // no registration, no documents
	}
	trees := []string{filepath.Join(w.Layout.Data(), id, "document", "state"), filepath.Join(w.System.Root+"/", "run", "ssm-setup", id)}
	own, patience := wire.CommandID(w.messageID()), drainTime
	leaving := !original(w.r.From.Version) && original(w.r.To.Version)
	if leaving {
		patience = leaveTime
	}
	for spent := time.Duration(0); ; spent += drainPause {
		running, rebooting := underWay(trees, own, w.Now())
		limit := patience
		switch {
		case running == 0:
			limit = rebootTime
		case rebooting > 0:
			limit = max(patience, rebootTime)
		}
		if running+rebooting == 0 || spent >= limit {
			if leaving && running > 0 {
				return &failure{code: manifests.CodePrecondition, text: "Failed update precondition check: commands still run on this machine, " +
					"and only the agent that took them can answer them"}
			}
			w.Log.Info("documents are handed over", "running", running, "waiting for a reboot", rebooting)
			return nil
		}
		if err := w.System.Pause(ctx, drainPause); err != nil {
			return err
		}
	}
}

// underWay counts the documents whose state files lie below some folders, but for the command that asked: those that wait for their turn or
// run, and those that wait for a reboot. One of these that asked for it longer ago than a reboot is waited for is not counted: its machine
// does not go down.
func underWay(trees []string, own string, now time.Time) (running, rebooting int) {
	for _, tree := range trees {
		for _, state := range []string{"pending", "current"} {
			entries, _ := os.ReadDir(filepath.Join(tree, state))
			for _, e := range entries {
				if e.Name() == own || !e.Type().IsRegular() {
					continue
				}
				file := filepath.Join(tree, state, e.Name())
				text, err := os.ReadFile(file)
				switch {
				case err != nil:
				case !bytes.Contains(text, []byte(`"`+wire.SuccessAndReboot+`"`)):
					running++
				case !longAgo(file, now):
					rebooting++
				}
			}
		}
	}
	return running, rebooting
}

// longAgo tells whether a file was written before all the time that a reboot is waited for. The clock may have been set since: then the
// wait is too short or too long, and the document is handed over all the same.
func longAgo(file string, now time.Time) bool {
	info, err := os.Stat(file)
	return err == nil && now.Sub(info.ModTime()) > rebootTime
}
