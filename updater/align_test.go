package updater_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// A package brought a floor that never starts. The ring survives it; once what runs instead has proved itself the pointer says so
// too, and the next start of the service has nothing to try in vain.
func TestAPackageThatNeverStartsIsSetAside(t *testing.T) {
	for name, before := range map[string]func(w *world) string{
		"over a version of the store": func(w *world) string {
			w.run(ledger.Request{})
			return "9.2.0.0"
		},
		"over itself": func(w *world) string {
			_, err := w.store().KeepFloor("9.1.0.0") // as the package's first script does
			must(w.t, err)
			return "9.1.0.0"
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			good := before(w)
			w.nature["9.3.0.0"] = "dead"
			w.upgrade("9.3.0.0")
			w.advance(2 * time.Minute)
			resume(w)
			if state, err := w.store().Read(); err != nil || state.Floor == "9.3.0.0" || w.running() != good {
				t.Fatalf("too early: %+v, %v; %s runs", state, err, w.running())
			}
			w.advance(30 * time.Minute)
			resume(w)
			resume(w)
			w.whole(good)
			state, _ := w.store().Read()
			if state.Active.Version != good || !state.SetAside.IsFloor() || state.Floor != "9.3.0.0" {
				t.Errorf("pointer %+v", state)
			}
			led, _ := ledger.Read(w.layout)
			if len(led.Skip) != 1 || led.Skip[0].Version != ver("9.3.0.0") || led.Skip[0].Attempts != 1 ||
				!strings.Contains(led.Skip[0].Reason, "9.3.0.0, installed by a package, does not start, "+good+" runs") {
				t.Errorf("held back: %+v", led.Skip)
			}
			w.mu.Lock()
			w.restart()
			w.mu.Unlock()
			if w.whole(good); w.deaths != 0 {
				t.Errorf("tried again: %d deaths", w.deaths)
			}
			// A package that brings a sound one is believed at once.
			w.upgrade("9.4.0.0")
			w.advance(2 * time.Minute)
			resume(w)
			w.whole("9.4.0.0")
		})
	}
}

func resume(w *world) {
	w.t.Helper()
	must(w.t, w.engine().Resume(context.Background()))
}

// The launcher noted that the disk kept the version from being started: it goes aside and is not blocked.
func TestAVersionThatTheMachineKeptFromStartingIsNotBlocked(t *testing.T) {
	for _, kept := range []bool{true, false} {
		w := newWorld(t)
		w.run(ledger.Request{})
		state, err := w.store().Read()
		must(t, err)
		w.mu.Lock()
		w.nature["9.2.0.0"] = "dead"
		w.endAgent("signal 9")
		w.mu.Unlock()
		w.advance(32 * time.Minute)
		if kept {
			note := fmt.Sprintf("9.2.0.0 9.1.0.0 %d 0 2030-01-02T03:04:05Z cannot be tried: input/output error", state.Sequence)
			must(t, os.WriteFile(w.layout.Pointer().Death(), []byte(fmt.Sprintf("%-511s\n", note)), 0o644))
		}
		resume(w)
		w.whole("9.1.0.0")
		if led := read(t, w); (len(led.Skip) == 0) != kept {
			t.Errorf("kept by the machine: %t, blocked %+v", kept, led.Skip)
		}
	}
}
