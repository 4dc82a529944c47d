//go:build unix

package plugins

import (
	"bytes"
	"io"
	"log/slog"
	"os/exec"
	"testing"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// A signal that ends the direct child; a shell between reports its own codes instead.
func TestASignalEndsTheChildWithItsCode(t *testing.T) {
	for _, c := range []struct {
		line, status, stderr string
		code                 int
	}{
		{"kill -KILL $$", wire.Failed, "failed to run commands: signal: killed", -1},
		{"exit 137", wire.TimedOut, "", 137},
		{"kill -TERM $$", wire.Failed, "failed to run commands: signal: terminated", -1},
	} {
		var stderr bytes.Buffer
		call := Call{Stdout: io.Discard, Stderr: &stderr, Log: slog.New(slog.DiscardHandler)}
		o := call.exit(t.Context(), run(t.Context(), exec.Command("sh", "-c", c.line), call.Stdout, call.Stderr))
		if o.Status != c.status || o.Code != c.code || stderr.String() != c.stderr {
			t.Errorf("%s: %+v %q", c.line, o, stderr.String())
		}
	}
}
