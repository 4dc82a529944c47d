package plugins

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// flood is how many lines a process writes: more than its pipes hold.
const flood = 50_000

// childVariable has the test binary be a process that writes.
const childVariable = "SSM_SETUP_TEST_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(childVariable) {
	case "waits":
		fmt.Print("partial\n")
		time.Sleep(10 * time.Minute)
	case "floods":
		for range flood {
			fmt.Println("out")
			fmt.Fprintln(os.Stderr, "err")
		}
		os.Exit(3)
	}
	os.Exit(m.Run())
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
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"=waits")
	o := call.exit(ctx, run(ctx, cmd, call.Stdout, call.Stderr))
	if o.Status != wire.TimedOut || o.Code != stoppedCode || stdout.String() != "partial\n" {
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

func TestAllThatAProcessWritesIsKept(t *testing.T) {
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"=floods")
	call := Call{Stdout: &stdout, Stderr: &stderr, Log: slog.New(slog.DiscardHandler)}
	o := call.exit(t.Context(), run(t.Context(), cmd, call.Stdout, call.Stderr))
	if o.Status != wire.Failed || o.Code != 3 || stdout.String() != strings.Repeat("out\n", flood) ||
		stderr.String() != strings.Repeat("err\n", flood)+"failed to run commands: exit status 3" {
		t.Errorf("%+v, %d and %d bytes", o, stdout.Len(), stderr.Len())
	}
}
