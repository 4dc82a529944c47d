package updater_test

import (
	"bufio"
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/updater"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// stuck has another process work on a command, in a region that never sends its manifest. The function it returns waits for its end.
func stuck(t *testing.T, w *world) (wait func() error) {
	t.Helper()
	cmd := exec.Command(self(t))
	cmd.Args = []string{"stuck", w.layout.Root}
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	ended := false
	t.Cleanup(func() {
		if !ended {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.HasPrefix(line, "taken ") {
		t.Fatalf("%q, %v", line, err)
	}
	return func() error { ended = true; return cmd.Wait() }
}

func TestANewerRequestEndsAnUpdaterThatHasNotSwitched(t *testing.T) {
	for kind, r := range map[string]ledger.Request{
		ledger.Updated:    {Why: ledger.ByCommandLine},
		ledger.NoPrevious: {Why: ledger.ByRollback, Want: ledger.Previous},
	} {
		t.Run(kind, func(t *testing.T) {
			w := newWorld(t)
			wait := stuck(t, w)
			if o := w.run(r); o.Kind != kind {
				t.Fatalf("%+v", o)
			}
			var exit *exec.ExitError
			if err := wait(); !errors.As(err, &exit) {
				t.Errorf("the updater that hung ended so: %v", err)
			}
			first := w.final()
			if first.Status != "Failed" || !strings.Contains(first.Output, "gave way to a newer request") {
				t.Errorf("the command that gave way: %+v", first)
			}
			led, err := ledger.Read(w.layout)
			if err != nil || len(led.Skip) != 0 || led.Open != nil {
				t.Errorf("%+v, %v", led, err)
			}
		})
	}
}

func TestAScheduledUpdateAndACommandTakenBeforeEndNoUpdater(t *testing.T) {
	w := newWorld(t)
	stuck(t, w)
	if _, err := w.engine().Run(context.Background(), ledger.Request{Why: ledger.ByTimer}, func(string) {}); !errors.Is(err,
		updater.ErrBusy) {
		t.Errorf("scheduled: %v", err)
	}
	if _, err := w.engine().Run(context.Background(), command(ledger.Request{}), func(string) {}); err != nil {
		t.Errorf("the same command again: %v", err)
	}
	led, err := ledger.Read(w.layout)
	if err != nil || led.Open == nil || led.Open.Undoing || led.Open.Request.Why != ledger.ByDocument {
		t.Errorf("the update under way: %+v, %v", led.Open, err)
	}
}

func TestARemovalEndsAnUpdaterThatHasNotSwitched(t *testing.T) {
	w := newWorld(t)
	if ended, err := updater.EndPending(w.layout); ended || err != nil {
		t.Errorf("without an updater: %v, %v", ended, err)
	}
	wait := stuck(t, w)
	if ended, err := updater.EndPending(w.layout); !ended || err != nil {
		t.Fatalf("%v, %v", ended, err)
	}
	if wait() == nil {
		t.Error("the updater ended by itself")
	}
}

func TestAnInterruptedUpdateGivesWayToANewerRequest(t *testing.T) {
	for _, at := range []string{"before plan", "after fetch", "before stage"} {
		w := newWorld(t)
		e := w.engine()
		e.Crash = func(now string) bool { return now == at }
		if _, err := e.Run(context.Background(), command(ledger.Request{}), func(string) {}); !errors.Is(err, updater.ErrCrashed) {
			t.Fatalf("%s: %v", at, err)
		}
		o := w.run(ledger.Request{Why: ledger.ByRollback, Want: ledger.Previous})
		if o.Kind != ledger.NoPrevious {
			t.Errorf("%s: %+v", at, o)
		}
		led, err := ledger.Read(w.layout)
		if err != nil || led.Open != nil || w.final().Status != "Failed" {
			t.Errorf("%s: %+v, %v, %+v", at, led.Open, err, w.final())
		}
		w.whole("9.1.0.0")
	}
}
