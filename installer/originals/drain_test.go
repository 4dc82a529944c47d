package originals_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/originals"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// begin has the agent at work on a command, which is answered after some looks.
func (w *world) begin(name string, looks int) {
	file := filepath.Join(w.home.Data(), "mi-0123456789abcdef0", "document", "state", "current", name)
	must(w.t, os.MkdirAll(filepath.Dir(file), 0o700))
	must(w.t, os.WriteFile(file, []byte("{}"), 0o600))
	w.under = append(w.under, command{file, looks})
}

// command is one that the agent has taken.
type command struct {
	file  string
	looks int
}

// pass lets a second go by: the agent answers commands while it runs, and only this project's agent does.
func (w *world) pass(ctx context.Context, _ time.Duration) error {
	if w.running && w.has() == "9.1.0.0" {
		w.under = slices.DeleteFunc(w.under, func(c command) bool { return c.looks <= 0 && os.Remove(c.file) == nil })
		for n := range w.under {
			w.under[n].looks--
		}
	}
	return ctx.Err()
}

func TestOursGivesWayToTheOriginalOnceEveryCommandIsAnswered(t *testing.T) {
	w := withOurs(t)
	w.begin("one", 2)
	w.begin("two", 20)
	a, came := w.agent(), false
	a.CutAt(func(place string) {
		switch place {
		case "while it is stopped":
			if !came { // one that the agent took just before its end
				came = true
				w.begin("three", 5)
			}
		case "before package":
			if len(w.under) > 0 || w.running {
				t.Errorf("%d commands are not answered, it runs: %t", len(w.under), w.running)
			}
		}
	})
	if err := fromOurs(w, a); err != nil || w.has() != "3.3.1.0" || !came || !w.told("commands run: they are waited for") {
		t.Errorf("%v, %s; %v", err, w.has(), w.steps)
	}
}

func TestACommandThatDoesNotEndLeavesOursInPlace(t *testing.T) {
	w := withOurs(t)
	w.begin("for ever", 1<<30)
	err := fromOurs(w, w.agent())
	if !errors.Is(err, originals.ErrCommandsRun) || fault.Of(err) != fault.Busy || w.has() != "9.1.0.0" || !w.running || len(w.commands) > 0 {
		t.Errorf("%v; %s is there, did %v", err, w.has(), w.commands)
	}
	if len(w.under) != 1 || w.agent().Unfinished() {
		t.Errorf("%v are open", w.under)
	}
}
