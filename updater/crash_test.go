package updater_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/updater"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// everyPair crashes the second updater at all of its points too; it takes a minute.
var everyPair = flag.Bool("pairs", false, "crash every updater that resumes at every point")

// points are the places at which a run of such a world can crash.
func points(t *testing.T, nature string) []string {
	w := newWorld(t)
	w.nature["9.2.0.0"] = nature
	e := w.engine()
	var list []string
	e.Crash = func(at string) bool { list = append(list, at); return false }
	_, err := e.Run(context.Background(), command(ledger.Request{}), func(string) {})
	must(t, err)
	return list
}

// The updater is ended at every point of an update, and the one that resumes at every point of its own. Whatever
// happens, the machine comes to rest with a version that works, and the sender of the request gets one final answer.
func TestAfterACrashAnywhereTheMachineComesToRest(t *testing.T) {
	seconds := []string{"before stage", "after the pointer", "before finish", "after the confirmation", "after the tokens",
		"before undo switch", "after undo switch", "after the outcome", "before watch"}
	for n, nature := range []string{"", "dead", "hang"} {
		for i, first := range points(t, nature) {
			t.Run(nature+" "+first, func(t *testing.T) {
				t.Parallel()
				crashed(t, nature, first, "")
				if *everyPair {
					for _, second := range seconds {
						crashed(t, nature, first, second)
					}
					return
				}
				crashed(t, nature, first, seconds[(n+i)%len(seconds)])
			})
		}
	}
}

func crashed(t *testing.T, nature, first, second string) {
	t.Helper()
	w := newWorld(t)
	w.nature["9.2.0.0"] = nature
	e := w.engine()
	e.Crash = func(at string) bool { return at == first }
	_, err := e.Run(context.Background(), command(ledger.Request{}), func(string) {})
	if !errors.Is(err, updater.ErrCrashed) {
		t.Fatalf("no crash %s: %v", first, err)
	}
	w.advance(30 * time.Second)
	e = w.engine()
	e.Crash = func(at string) bool { return at == second }
	if err := e.Resume(context.Background()); err != nil {
		if !errors.Is(err, updater.ErrCrashed) {
			t.Fatal(err)
		}
		w.advance(30 * time.Second)
		must(t, w.engine().Resume(context.Background()))
	}
	if nature == "" {
		w.whole("9.2.0.0", "9.1.0.0")
	} else {
		w.whole("9.1.0.0")
	}
	final := 0
	for _, r := range w.sent {
		if r.DocumentStatus != "InProgress" {
			final++
		}
	}
	led, _ := ledger.Read(w.layout)
	if final != 1 || len(led.Owed) != 0 || len(w.deleted) != 1 {
		t.Fatalf("crash %s, %s: %d final answers, %d deleted, owed %+v, last %+v", first, second, final, len(w.deleted), led.Owed, led.Last)
	}
	if left, _ := os.ReadDir(filepath.Join(w.layout.Download(), "update")); len(left) != 0 {
		t.Errorf("crash %s, %s: left of the download: %v", first, second, left)
	}
	if led.Last == nil || led.Last.Success != (w.running() == "9.2.0.0") {
		t.Fatalf("%s runs, the ledger says %+v", w.running(), led.Last)
	}
}
