package updater_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/updater"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

func TestAVersionThatWasKilledOnceIsConfirmed(t *testing.T) {
	w := newWorld(t)
	w.nature["9.2.0.0"] = "killed"
	e := w.engine()
	wait := e.Pause
	e.Pause = func(ctx context.Context, d time.Duration) error {
		w.mu.Lock()
		if w.deaths > 0 {
			w.nature["9.2.0.0"] = ""
		}
		w.mu.Unlock()
		return wait(ctx, d)
	}
	o, err := e.Run(context.Background(), ledger.Request{}, func(string) {})
	must(t, err)
	if o.Kind != ledger.Updated || w.deaths != 1 {
		t.Fatalf("%d deaths, %+v", w.deaths, o)
	}
	w.whole("9.2.0.0")
}

func TestAVersionThatWasKilledTwiceIsTriedThreeTimesBeforeItIsBlocked(t *testing.T) {
	w := newWorld(t)
	w.nature["9.2.0.0"] = "killed"
	for try := 1; try <= 3; try++ {
		w.deaths = 0
		before := w.now
		o := w.run(ledger.Request{})
		if o.Kind != ledger.RolledBack || w.deaths != 2 {
			t.Fatalf("try %d: %d deaths, %+v", try, w.deaths, o)
		}
		has(t, o.Reason, "ended from outside 2 times")
		if took := w.now.Sub(before); took > 35*time.Second {
			t.Errorf("try %d took %s", try, took)
		}
		w.whole("9.1.0.0")
		led, err := ledger.Read(w.layout)
		must(t, err)
		if blocked := len(led.Skip) > 0; blocked != (try == 3) {
			t.Errorf("try %d: blocked %t", try, blocked)
		}
		if try < 3 {
			has(t, o.Detail, "the next update tries 9.2.0.0 anew")
		}
	}
	w.nature["9.2.0.0"] = ""
	if o := w.run(ledger.Request{Want: "9.2.0.0"}); o.Kind != ledger.Updated {
		t.Fatalf("named: %+v", o)
	}
	if led, _ := ledger.Read(w.layout); len(led.Tried) != 0 || len(led.Skip) != 0 {
		t.Errorf("a version that was confirmed is still counted: %+v, %+v", led.Tried, led.Skip)
	}
}

// A disk of this machine that fails must not count against a release.
func TestAFaultOfTheMachinesDiskBlocksNoVersion(t *testing.T) {
	folder := func(path string) error { // nothing can be written or unlinked there
		_ = os.Remove(path)
		return os.MkdirAll(filepath.Join(path, "in the way"), 0o700)
	}
	for name, c := range map[string]struct {
		spoil  func(w *world) error
		reason string
	}{
		"the pulse is a folder": {func(w *world) error { return folder(w.layout.Pulse()) }, "pulse"},
		"a token cannot be unlinked": {func(w *world) error {
			state, err := w.store().Read()
			must(t, err)
			for _, token := range pointer.TokenNames() {
				must(t, folder(filepath.Join(w.layout.Pointer().Probation(state.Sequence+1), token)))
			}
			return nil
		}, "probation"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for range 4 { // more often than a version may fail for no reason of its own
				if len(read(t, w).Skip) > 0 {
					t.Fatalf("blocked: %+v", read(t, w).Skip)
				}
				spoil(t, w, c.spoil, c.reason)
				must(t, os.RemoveAll(w.layout.Pulse()))
				w.advance(time.Minute)
			}
			if o := w.run(ledger.Request{}); o.Kind != ledger.Updated {
				t.Errorf("again, on a disk that works: %+v", o)
			}
			w.whole("9.2.0.0")
		})
	}
}

func read(t *testing.T, w *world) ledger.Ledger {
	t.Helper()
	led, err := ledger.Read(w.layout)
	must(t, err)
	return led
}

// spoil has an update fail for a fault of the machine's disk.
func spoil(t *testing.T, w *world, hurt func(*world) error, reason string) {
	t.Helper()
	e := w.engine()
	e.Crash = func(at string) bool {
		switch at {
		case "before the pointer":
			must(t, hurt(w))
		case "before undo switch": // a single error
			state, err := w.store().Read()
			must(t, err)
			for _, token := range pointer.TokenNames() {
				must(t, os.RemoveAll(filepath.Join(w.layout.Pointer().Probation(state.Sequence), token)))
			}
		}
		return false
	}
	o, err := e.Run(context.Background(), ledger.Request{}, func(string) {})
	must(t, err)
	if o.Kind != ledger.RolledBack {
		t.Fatalf("%+v", o)
	}
	has(t, o.Reason, "this machine was in the way: ", reason)
}

// A launcher gave up a version and an older one, started meanwhile, holds the lock: the updater asks no process that it did not judge.
func TestAnUpdaterAsksOnlyTheProcessThatItJudged(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	var asked []int
	came := 0
	away := e.System.StopAgent
	e.System.StopAgent = func(ctx context.Context, pid int) error {
		asked = append(asked, pid)
		w.mu.Lock()
		w.endAgent("signal 9") // it ends by itself, and the launcher starts the new one before the request arrives
		w.mu.Unlock()
		w.advance(3 * time.Second)
		w.mu.Lock()
		came = w.agent.pid
		w.mu.Unlock()
		return away(ctx, pid)
	}
	before := w.agent.pid
	o, err := e.Run(context.Background(), ledger.Request{}, func(string) {})
	must(t, err)
	if o.Kind != ledger.Updated || len(asked) != 1 || asked[0] != before {
		t.Fatalf("asked %d, was %d: %+v", asked, before, o)
	}
	if w.agent.pid != came {
		t.Error("the new agent was ended")
	}
}

func TestAVersionThatPingsButTakesNoCommandsIsTakenBack(t *testing.T) {
	w := newWorld(t)
	w.lanes = true
	w.advance(time.Minute)
	w.nature["9.2.0.0"] = "takes no commands"
	before := w.now
	o := w.run(command(ledger.Request{}))
	if o.Kind != ledger.RolledBack || w.now.Sub(before) > time.Minute {
		t.Fatalf("after %s: %+v", w.now.Sub(before), o)
	}
	has(t, o.Reason, "it does not reach the service for commands (ec2messages)")
	w.whole("9.1.0.0")
}

// What the version before did not have either is not asked for, and the same of an older agent that says nothing of it.
func TestAVersionNeedsNoMoreThanTheOneBeforeHad(t *testing.T) {
	for _, nature := range []string{"", "takes no commands"} {
		w := newWorld(t)
		w.lanes = true
		w.nature["9.1.0.0"], w.nature["9.2.0.0"] = "takes no commands", nature
		w.advance(time.Minute)
		if o := w.run(ledger.Request{}); o.Kind != ledger.Updated {
			t.Fatalf("%q: %+v", nature, o)
		}
		w.whole("9.2.0.0")
	}
}

// An outage and the host's own disk are told in the history, and block no version: the next update goes ahead.
func TestAnOutageOrAFullDiskIsInTheHistoryAndInNoSkipList(t *testing.T) {
	for name, c := range map[string]struct {
		hurt   func(*world, *updater.Engine)
		mend   func(*world)
		reason string
	}{
		"the region is out of reach": {func(_ *world, e *updater.Engine) {
			e.Open = func(context.Context, string) (updater.Source, error) {
				return updater.Source{}, errors.New("no route to host")
			}
		}, func(*world) {}, ledger.FailedKind},
		"the service is out of reach": {func(w *world, _ *updater.Engine) { w.reachable = false }, func(w *world) { w.reachable = true },
			ledger.Postponed},
		"the disk is full": {func(w *world, _ *updater.Engine) { w.free = 1 << 20 },
			func(w *world) { w.free = 1 << 40 }, ledger.FailedKind},
		"the disk fails as the package is written":   {failing(syscall.EIO), func(*world) {}, ledger.FailedKind},
		"the disk is read-only by then":              {failing(syscall.EROFS), func(*world) {}, ledger.FailedKind},
		"the account has no room left":               {failing(syscall.ENOSPC), func(*world) {}, ledger.FailedKind},
		"no more files can be opened":                {failing(syscall.EMFILE), func(*world) {}, ledger.FailedKind},
		"the connection is refused":                  {failing(syscall.ECONNREFUSED), func(*world) {}, ledger.FailedKind},
		"the connection is reset":                    {failing(syscall.ECONNRESET), func(*world) {}, ledger.FailedKind},
		"the network is gone":                        {failing(syscall.ENETUNREACH), func(*world) {}, ledger.FailedKind},
		"the disk fails as the version is started":   {trying(syscall.EIO), func(*world) {}, ledger.FailedKind},
		"the disk is full as the version is started": {trying(syscall.ENOSPC), func(*world) {}, ledger.FailedKind},
		"no memory to start the version":             {trying(syscall.ENOMEM), func(*world) {}, ledger.FailedKind},
		"there is no folder for downloads": {func(w *world, _ *updater.Engine) {
			must(w.t, os.RemoveAll(w.layout.Download()))
			must(w.t, os.WriteFile(w.layout.Download(), nil, 0o600))
		}, func(w *world) { must(w.t, os.Remove(w.layout.Download())) }, ledger.FailedKind},
		"a package that breaks off": {func(w *world, _ *updater.Engine) { w.spoilt = func(b []byte) []byte { return b[:9] } },
			func(w *world) { w.spoilt = nil }, ledger.FailedKind},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for range 5 {
				e := w.engine()
				c.hurt(w, e)
				if o, err := e.Run(context.Background(), ledger.Request{Why: ledger.ByTimer}, func(string) {}); err != nil || o.Kind != c.reason {
					t.Fatalf("%+v, %v", o, err)
				}
				w.advance(time.Minute)
			}
			led, err := ledger.Read(w.layout)
			must(t, err)
			past, err := ledger.Decisions(w.layout)
			must(t, err)
			if len(led.Skip)+len(led.Tried) != 0 || len(past) != 1 || past[0].Times != 5 || past[0].Reason != c.reason || past[0].Status == "" {
				t.Errorf("blocked %+v, tried %+v, decisions %+v", led.Skip, led.Tried, past)
			}
			c.mend(w)
			if o := w.run(ledger.Request{Why: ledger.ByTimer}); o.Kind != ledger.Updated {
				t.Errorf("%+v", o)
			}
		})
	}
}

// failing has the download end in an error of the system.
func failing(no syscall.Errno) func(*world, *updater.Engine) {
	return func(w *world, e *updater.Engine) {
		e.Open = func(context.Context, string) (updater.Source, error) {
			s := w.region()
			s.Fetch = func(_ context.Context, want bucket.Want) error {
				return fmt.Errorf("fetch: %w", &os.PathError{Op: "write", Path: want.Path, Err: no})
			}
			return s, nil
		}
	}
}

// trying has the new program fail to start, by an error of the system.
func trying(no syscall.Errno) func(*world, *updater.Engine) {
	return func(_ *world, e *updater.Engine) {
		e.System.Try = func(_ context.Context, file string, _ ...string) (string, error) {
			return "", &os.PathError{Op: "fork/exec", Path: file, Err: no}
		}
	}
}
