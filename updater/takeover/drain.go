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
// One that waits for a reboot has asked for it, and the machine goes down at any moment: seven rounds of 30 s, as
// docs/protocol/update.md, "Windows install delayer".
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
	dir := filepath.Join(w.Layout.Data(), id, "document", "state", "current")
	own, patience := wire.CommandID(w.messageID()), drainTime
	leaving := !original(w.r.From.Version) && original(w.r.To.Version)
	if leaving {
		patience = leaveTime
	}
	for spent := time.Duration(0); ; spent += drainPause {
		running, rebooting := underWay(dir, own)
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

// underWay counts the documents of a folder of state files, but for the command that asked.
func underWay(dir, own string) (running, rebooting int) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.Name() == own || !e.Type().IsRegular() {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		switch {
		case err != nil:
		case bytes.Contains(text, []byte(`"`+wire.SuccessAndReboot+`"`)):
			rebooting++
		default:
			running++
		}
	}
	return running, rebooting
}
