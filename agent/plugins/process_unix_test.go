//go:build unix

package plugins

import (
	"bytes"
	"context"
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

// firstWrite ends a context with a cause once something was written.
type firstWrite struct {
	bytes.Buffer
	end func()
}

func (w *firstWrite) Write(p []byte) (int, error) {
	defer w.end()
	return w.Buffer.Write(p)
}

func TestATimeLimitKeepsWhatWasWritten(t *testing.T) {
	ctx, end := context.WithCancelCause(t.Context())
	stdout := &firstWrite{end: func() { end(errTime) }}
	call := Call{Stdout: stdout, Stderr: io.Discard, Log: slog.New(slog.DiscardHandler)}
	cmd := exec.Command("sh", "-c", "echo partial; sleep 600 & sleep 600")
	o := call.exit(ctx, run(ctx, cmd, call.Stdout, call.Stderr))
	if o.Status != wire.TimedOut || o.Code != 137 || stdout.String() != "partial\n" {
		t.Errorf("%+v %q", o, stdout.String())
	}
	if cmd.ProcessState == nil {
		t.Error("the process was not waited for")
	}
}

func TestACancelKeepsWhatStillLiesInThePipe(t *testing.T) {
	var stdout bytes.Buffer
	p, err := connect(&exec.Cmd{}, &stdout, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer p.cut()
	for range 2 {
		if _, err := p.far[0].WriteString("before\n"); err != nil {
			t.Fatal(err)
		}
		p.stop() // the copying had not come to it yet
	}
	if stdout.String() != "before\n" {
		t.Errorf("%q", stdout.String())
	}
}
