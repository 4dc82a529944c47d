package main

import (
	"bufio"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// A subcommand that does not notice the first signal at once is ended by the second. (Not the keyboard's: what a shell starts in the
// background is born ignoring that one, and a whole run of tests may be.)
func TestASecondSignalEndsTheProgram(t *testing.T) {
	if os.Getenv("SSM_TEST_SIGNALLED") != "" {
		ctx, stop := signalled()
		defer stop()
		os.Stdout.WriteString("ready\n")
		<-ctx.Done()
		os.Stdout.WriteString("cancelled\n")
		time.Sleep(10 * time.Minute)
		os.Exit(1)
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^TestASecondSignalEndsTheProgram$")
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
