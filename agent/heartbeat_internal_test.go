package agent

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/watchdog"
	"github.com/ssm-setup/ssm-setup/installer"
)

func TestAnAgentWhoseLockAnotherHasEnds(t *testing.T) {
	var log bytes.Buffer
	h := newHeartbeat(nil, filepath.Join(t.TempDir(), "pulse"), false, watchdog.New(nil), slog.New(slog.NewTextHandler(&log, nil)))
	left := 0
	h.leave = func() { left++ }
	h.beat() // without a lock
	answers := []struct {
		lost bool
		err  error
	}{{false, nil}, {false, errors.New("no folder")}, {false, errors.New("no folder")}, {true, nil}}
	h.keep = func() (int, bool, error) {
		a := answers[0]
		answers = answers[1:]
		return 7, a.lost, a.err
	}
	for n := range 4 {
		h.beat()
		if left != n/3 {
			t.Errorf("after %d looks it left %d times", n+1, left)
		}
	}
	if n := strings.Count(log.String(), "cannot take the agent lock anew"); n != 1 {
		t.Errorf("said %d times:\n%s", n, log.String())
	}
}

func TestAnAgentByHandThatCannotTryItsLockSaysSo(t *testing.T) {
	l := installer.At(t.TempDir())
	if err := os.MkdirAll(l.Data(), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(l.Data(), "lock"), nil, 0o600); err != nil { // no folder can be made there
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, Options{Layout: l, Executable: l.Worker()}) }()
	var text []byte
	for range 6000 {
		if text, _ = os.ReadFile(filepath.Join(l.Logs(), "amazon-ssm-agent.log")); strings.Contains(string(text), "no agent lock") {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	end()
	<-ended
	if !strings.Contains(string(text), "WARN [ssm-agent-worker] no agent lock, running without: another agent") {
		t.Errorf("%s", text)
	}
}
