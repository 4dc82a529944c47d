package main

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A package manager that has begun is neither killed when the verb is interrupted, nor reached by the keyboard's signal; one
// that has not does not begin.
func TestPackagerIsNotInterrupted(t *testing.T) {
	dir := t.TempDir()
	begun, done := filepath.Join(dir, "begun"), filepath.Join(dir, "done")
	script := `cut -d' ' -f5,6 /proc/self/stat >"$1.new" && mv "$1.new" "$1"; while [ ! -e "$1.on" ]; do sleep 0.02; done; echo done >"$2"`
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- runPackager(ctx, "/bin/sh", "-c", script, "x", begun, done) }()
	for !exists(begun) {
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	select {
	case err := <-ended:
		t.Fatalf("it ended with the context: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	os.WriteFile(begun+".on", nil, 0o600)
	if err := <-ended; err != nil || !exists(done) {
		t.Errorf("%v", err)
	}
	own, err := os.ReadFile("/proc/self/stat")
	must(t, err)
	_, rest, _ := strings.Cut(string(own), ") ")
	mine := strings.Fields(rest)
	text, err := os.ReadFile(begun)
	must(t, err)
	if its := strings.Fields(string(text)); len(its) != 2 || its[0] == mine[2] || its[1] == mine[3] {
		t.Errorf("process group and session %v, this program's are %v", its, mine[2:4])
	}
	t.Setenv(activationCode, "secret")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	if err := runPackager(context.Background(), "/bin/sh", "-c", `env >"$1"`, "x", begun); err != nil {
		t.Error(err)
	}
	if said, err := os.ReadFile(begun); err != nil || strings.Contains(string(said), "secret") || !strings.Contains(string(said), "DEBIAN_FRONTEND=noninteractive\n") {
		t.Errorf("%s, %v", said, err)
	}
	os.Remove(done)
	if err := runPackager(ctx, "/bin/sh", "-c", script, "x", begun, done); !errors.Is(err, context.Canceled) || exists(done) {
		t.Errorf("begun after the interrupt: %v", err)
	}
}

// A verb that does not notice the first signal at once is ended by the second. (Not the keyboard's: what a shell starts in the
// background is born ignoring that one, and a whole run of tests may be.)
func TestSecondSignal(t *testing.T) {
	if os.Getenv("SSM_TEST_SIGNALLED") != "" {
		ctx, stop := signalled()
		defer stop()
		os.Stdout.WriteString("ready\n")
		<-ctx.Done()
		os.Stdout.WriteString("cancelled\n")
		time.Sleep(10 * time.Minute)
		os.Exit(1)
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^TestSecondSignal$")
	cmd.Env = append(os.Environ(), "SSM_TEST_SIGNALLED=yes")
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	defer cmd.Process.Kill()
	lines := bufio.NewScanner(out)
	for _, want := range []string{"ready", "cancelled"} {
		if !lines.Scan() || lines.Text() != want {
			t.Fatalf("it says %q, not %q", lines.Text(), want)
		}
		must(t, cmd.Process.Signal(syscall.SIGTERM))
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case <-ended:
			if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGTERM {
				t.Errorf("%v", cmd.ProcessState)
			}
			return
		case <-time.After(50 * time.Millisecond):
			cmd.Process.Signal(syscall.SIGTERM)
		}
	}
}
