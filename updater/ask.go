package updater

import (
	"context"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// briefly bounds a message to the service that no caller waits for.
const briefly = 10 * time.Second

// ask is the first stop. The request is in the ledger already; who sent a command is told that it began (docs/protocol/update.md, "State
// machine", state Initialized). What cannot be told now is not told: the final answer is what counts. A person sees it in the ledger.
func (w *work) ask(ctx context.Context) error {
	to := w.u.Request.ReplyTo
	if to == nil || to.MessageID == "" {
		return nil
	}
	lane := w.Reporter.lane(to.Upstream)
	if lane.Reply == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, briefly)
	defer cancel()
	payload, err := w.progressReply()
	if err == nil {
		err = lane.Reply(ctx, to.MessageID, host.NewUUID(), payload)
	}
	if err != nil {
		w.Log.Warn("cannot say that the update began", "error", err)
		return nil
	}
	w.health(ctx, baseInitialized)
	return nil
}
