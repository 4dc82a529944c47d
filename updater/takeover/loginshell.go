package takeover

import (
	"context"
	"time"
)

// The account of sessions, and the shell that it logs in with on macOS: none (docs/protocol/identity.md, "ssm-user").
const (
	sessionUser = "ssm-user"
	noShell     = "/usr/bin/false"
)

// fixLoginShell takes the login shell from the account of sessions, where macOS has it: old agents gave it one
// (docs/protocol/update.md, "Updater command line"). It is no part of the exchange, which goes on whatever comes of it.
func (e *Engine) fixLoginShell(ctx context.Context) {
	if e.System.OS != "darwin" {
		return
	}
	const limit = 30 * time.Second
	if _, code, err := e.System.Run(ctx, "", limit, "id", sessionUser); err != nil || code != 0 {
		return // there is no such account
	}
	out, code, err := e.System.Run(ctx, "", limit, "dscl", ".", "-create", "/Users/"+sessionUser, "UserShell", noShell)
	if err != nil || code != 0 {
		e.Log.Warn("cannot take the login shell from the account of sessions", "account", sessionUser, "code", code, "error", err,
			"output", lastLines(out))
	}
}
