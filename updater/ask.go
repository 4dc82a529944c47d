package updater

import (
	"context"
	"time"
)

// briefly bounds a message to the service that nobody waits for.
const briefly = 10 * time.Second

// ask is the first stop. The request is in the ledger already; whoever asked is told that it began (spec update 1.14, state
// Initialized). What cannot be told now is not told: the final answer is what counts.
func (w *work) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, briefly)
	defer cancel()
	w.health(ctx, baseInitialized)
	if to := w.u.Request.ReplyTo; to != nil && w.Reporter.Reply != nil {
		payload, err := w.progressReply()
		if err == nil {
			err = w.Reporter.Reply(ctx, to.MessageID, newID(), payload)
		}
		if err != nil {
			w.Log.Warn("cannot say that the update began", "error", err)
		}
	}
	return nil
}
