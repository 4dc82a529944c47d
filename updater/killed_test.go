package updater_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/updater"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// An updater was killed between entering a request and removing the file that handed it over: the request is not taken a second time, a
// minute later. A rollback would lead back to the version that it left.
func TestARequestWhoseUpdaterWasKilledAsItEnteredItIsDoneOnce(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	e.Crash = func(at string) bool { return at == "before fetch" }
	r := ledger.WithID(ledger.Request{Why: ledger.ByCommandLine}, w.now)
	if _, err := e.Run(context.Background(), r, func(string) {}); !errors.Is(err, updater.ErrCrashed) {
		t.Fatal(err)
	}
	if _, err := ledger.Deposit(w.layout, r, ledger.HandedOver); err != nil { // as the killed updater left it
		t.Fatal(err)
	}
	w.advance(time.Hour)
	if err := w.engine().Resume(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.whole("9.2.0.0")
	if left, _ := os.ReadDir(filepath.Join(w.layout.UpdateRoot(), "ask")); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	if led, err := ledger.Read(w.layout); err != nil || led.Last == nil || led.Last.Kind != ledger.Updated {
		t.Errorf("last: %+v, %v", led.Last, err)
	}
}

// The file of the update lock goes with the next agent's start, not with the next update.
func TestALockThatAKilledUpdaterLeftIsTakenAway(t *testing.T) {
	w := newWorld(t)
	if why := updater.Due(w.layout, w.agent.pulse); why != "" {
		t.Fatalf("due before: %q", why)
	}
	for _, name := range []string{w.layout.UpdateLock(), w.layout.UpdateLock() + ".expire"} {
		w.put(name, []byte("2147483646\n"))
	}
	if why := updater.Due(w.layout, w.agent.pulse); why == "" {
		t.Error("not due")
	}
	if err := w.engine().Resume(context.Background()); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(w.layout.UpdateLock() + "*"); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	if why := updater.Due(w.layout, w.agent.pulse); why != "" {
		t.Errorf("still due: %q", why)
	}
}
