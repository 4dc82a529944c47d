package updater_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/updater"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// standsStill has nothing of the machine move for a minute, again and again, whenever the updater has looked n times.
func standsStill(w *world, e *updater.Engine, n int) {
	wait, looks := e.Pause, 0
	e.Pause = func(ctx context.Context, d time.Duration) error {
		if looks++; looks%n == 0 {
			w.mu.Lock()
			w.now = w.now.Add(time.Minute)
			w.mu.Unlock()
		}
		return wait(ctx, d)
	}
}

// A stopped container, a machine that swaps: silence in that time says nothing about the version.
func TestAMachineThatStandsStillBlamesNoVersion(t *testing.T) {
	for _, n := range []int{1, 3, 20} {
		w := newWorld(t)
		e := w.engine()
		standsStill(w, e, n)
		o, err := e.Run(context.Background(), ledger.Request{}, func(string) {})
		must(t, err)
		if o == nil || o.Kind != ledger.Updated {
			t.Fatalf("every %d looks: %+v", n, o)
		}
		w.whole("9.2.0.0")
		e = w.engine()
		standsStill(w, e, n)
		o, err = e.Run(context.Background(), ledger.Request{Want: ledger.Previous, Why: ledger.ByRollback}, func(string) {})
		must(t, err)
		if o == nil || o.Kind != ledger.WentBack {
			t.Fatalf("every %d looks: %+v", n, o)
		}
		w.whole("9.1.0.0")
	}
}

// deafOnce has the first request to leave not be heard: the agent was only starting.
func deafOnce(w *world, e *updater.Engine) {
	away, asked := e.System.StopAgent, false
	e.System.StopAgent = func(ctx context.Context, pid int) error {
		if !asked {
			asked = true
			return nil
		}
		return away(ctx, pid)
	}
}

func TestAnAgentThatWasOnlyStartingIsAskedAgain(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	deafOnce(w, e)
	o, err := e.Run(context.Background(), ledger.Request{}, func(string) {})
	must(t, err)
	if o.Kind != ledger.Updated {
		t.Fatalf("%+v", o)
	}
	w.whole("9.2.0.0")

	e = w.engine()
	deafOnce(w, e)
	o, err = e.Run(context.Background(), ledger.Request{Want: ledger.Previous, Why: ledger.ByRollback}, func(string) {})
	must(t, err)
	if o.Kind != ledger.WentBack {
		t.Fatalf("%+v", o)
	}
	w.whole("9.1.0.0")
}

func TestABrokenAgentThatWasOnlyStartingIsTakenBack(t *testing.T) {
	w := newWorld(t)
	w.nature["9.2.0.0"] = "mute"
	e := w.engine()
	e.Crash = func(at string) bool {
		if at == "before undo switch" {
			deafOnce(w, e)
		}
		return false
	}
	o, err := e.Run(context.Background(), ledger.Request{}, func(string) {})
	must(t, err)
	if o.Kind != ledger.RolledBack || o.Code != "ErrorUpdateFailRollbackSuccess" {
		t.Fatalf("%+v", o)
	}
	w.whole("9.1.0.0")
}

// An updater ended when it had the tokens; then a package's script wrote the pointer. The version never ran, and is not to blame.
func TestAPackageBetweenTokensAndPointerBlocksNoVersion(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	e.Crash = func(at string) bool { return at == "before the pointer" }
	if _, err := e.Run(context.Background(), command(ledger.Request{}), func(string) {}); !errors.Is(err, updater.ErrCrashed) {
		t.Fatal(err)
	}
	_, err := w.store().KeepFloor("9.1.0.0")
	must(t, err)
	resume(w)
	w.whole("9.2.0.0")
	if led, _ := ledger.Read(w.layout); led.Last.Kind != ledger.Updated || len(led.Skip) != 0 {
		t.Errorf("%+v, held back %+v", led.Last, led.Skip)
	}
}

// An agent of an older pointer is asked to leave, and the launcher is killed in that moment.
func TestALauncherThatDiesWhenAnAgentLeavesIsStartedAgain(t *testing.T) {
	w := newWorld(t)
	w.run(ledger.Request{})
	w.mu.Lock()
	w.agent.version, w.agent.pulse.Version, w.agent.pulse.Hash = "9.1.0.0", "9.1.0.0", ""
	w.agent.pulse.Sequence = 1
	w.mu.Unlock()
	w.advance(time.Minute)
	e := w.engine()
	e.System.StopAgent = func(context.Context, int) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.killLauncher()
		w.agent = nil
		return nil
	}
	e.System.Revive = w.revive
	must(t, e.Resume(context.Background()))
	w.whole("9.2.0.0")
}

// The agent has an updater ended that holds the lock and makes no progress.
func TestAnUpdaterThatMakesNoProgressIsDue(t *testing.T) {
	w := newWorld(t)
	w.now = time.Now().Add(-2 * time.Hour)
	e := w.engine()
	e.Crash = func(at string) bool { return at == "before fetch" }
	if _, err := e.Run(context.Background(), ledger.Request{}, func(string) {}); !errors.Is(err, updater.ErrCrashed) {
		t.Fatal(err)
	}
	hold(t, w.layout)
	if why := updater.Due(w.layout, w.agent.pulse); why != "the updater at work makes no progress" {
		t.Errorf("due: %q", why)
	}
}

// A lock whose holder has no update open is free in a moment: no reason to refuse a request.
func TestALockThatIsHeldInPassingIsWaitedFor(t *testing.T) {
	w := newWorld(t)
	cmd := exec.Command(self(t))
	cmd.Args = []string{"holder", w.layout.Root}
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	_, _ = out.Read(make([]byte, 64))
	e := w.engine()
	wait, looks := e.Pause, 0
	e.Pause = func(ctx context.Context, d time.Duration) error {
		if looks++; looks == 3 {
			in.Close()
			_ = cmd.Wait()
		}
		return wait(ctx, d)
	}
	o, err := e.Run(context.Background(), ledger.Request{}, func(string) {})
	must(t, err)
	if o.Kind != ledger.Updated {
		t.Errorf("%+v", o)
	}
}

// An updater had the request in its ledger and was ended before it could say so.
func TestARequestInTheLedgerWasTaken(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	e.Crash = func(at string) bool { return at == "before ask" }
	if _, err := e.Run(context.Background(), ledger.Request{ID: "named"}, func(string) {}); !errors.Is(err, updater.ErrCrashed) {
		t.Fatal(err)
	}
	p := updater.Program{Path: self(t), Name: "updater", Environment: []string{"ANSWER="}}
	if id, err := updater.Launch(context.Background(), p, w.layout, ledger.Request{ID: "named"}); id != "named" || err != nil {
		t.Errorf("%q, %v", id, err)
	}
	if _, err := updater.Launch(context.Background(), p, w.layout, ledger.Request{ID: "other"}); !errors.Is(err, updater.ErrDied) {
		t.Errorf("another: %v", err)
	}
}

// What was written since the last sync may be torn by a power cut, all of it.
func TestAPowerCutDuringADownloadLeavesARecord(t *testing.T) {
	w := newWorld(t)
	w.run(ledger.Request{Want: "9.1.0.0"}) // both slots are in use
	e := w.engine()
	open := e.Open
	e.Open = func(c context.Context, url string) (updater.Source, error) {
		s, err := open(c, url)
		s.Fetch = func(_ context.Context, want bucket.Want) error {
			synced, err := os.ReadFile(w.layout.Ledger())
			must(t, err)
			for i := range 4 {
				want.Progress(1000, 1000)
				led, err := ledger.Read(w.layout)
				if err != nil || led.Open == nil || led.Open.Done != 1000 {
					t.Errorf("progress %d is not to be seen: %+v, %v", i, led.Open, err)
				}
				torn, err := os.ReadFile(w.layout.Ledger())
				must(t, err)
				half := len(torn) / 2
				for at := 0; at < len(torn); at += half {
					if !bytes.Equal(torn[at:at+half], synced[at:at+half]) {
						torn[at+100]++
					}
				}
				other := installer.At(t.TempDir())
				must(t, os.MkdirAll(filepath.Dir(other.Ledger()), 0o755))
				must(t, os.WriteFile(other.Ledger(), torn, 0o600))
				if led, err := ledger.Read(other); err != nil || led.Open == nil {
					t.Errorf("after a power cut, progress %d: %+v, %v", i, led, err)
				}
			}
			return errors.New("enough")
		}
		return s, err
	}
	_, err := e.Run(context.Background(), ledger.Request{}, func(string) {})
	must(t, err)
}

func TestAnUpdaterThatComesAfterARemovalMakesNoFolder(t *testing.T) {
	w := newWorld(t)
	w.killLauncher() // its locks hold their folders on Windows
	must(t, os.RemoveAll(w.layout.Root))
	must(t, w.engine().Resume(context.Background()))
	if _, err := os.Stat(w.layout.Root); !os.IsNotExist(err) {
		t.Error("the installation's folder is back")
	}
}

// slowLauncher takes so long to start an agent after one was stopped.
func slowLauncher(w *world, e *updater.Engine, d time.Duration) {
	away := e.System.StopAgent
	e.System.StopAgent = func(ctx context.Context, pid int) error {
		err := away(ctx, pid)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.again = w.now.Add(d)
		return err
	}
}

// A version that was never started is not to blame for its silence.
func TestALauncherThatIsSlowBlamesNoVersion(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	slowLauncher(w, e, 70*time.Second)
	o, err := e.Run(context.Background(), ledger.Request{}, func(string) {})
	must(t, err)
	if o.Kind != ledger.Updated {
		t.Fatalf("%+v", o)
	}
	w.whole("9.2.0.0")
	e = w.engine()
	slowLauncher(w, e, 70*time.Second)
	o, err = e.Run(context.Background(), ledger.Request{Want: ledger.Previous, Why: ledger.ByRollback}, func(string) {})
	must(t, err)
	if o.Kind != ledger.WentBack {
		t.Fatalf("%+v", o)
	}
	w.whole("9.1.0.0")
}

// A launcher that starts no agent any more is no reason to leave an update without an end.
func TestALauncherThatStandsStillEndsTheUpdate(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	slowLauncher(w, e, 24*time.Hour)
	began := w.now
	o, err := e.Run(context.Background(), command(ledger.Request{}), func(string) {})
	must(t, err)
	if o.Kind != ledger.RolledBack || o.Fault != fault.Unhealthy || w.final().Status != "Failed" || w.now.Sub(began) > 10*time.Minute {
		t.Fatalf("after %s: %+v", w.now.Sub(began), o)
	}
	w.advance(24 * time.Hour)
	w.whole("9.1.0.0")
}

// The launcher gave a version up long after it was confirmed, and runs the one before: a rollback to that asks it for nothing.
func TestARollbackToWhatRunsAlreadyStopsNoAgent(t *testing.T) {
	w := newWorld(t)
	w.run(ledger.Request{})
	w.whole("9.2.0.0")
	w.mu.Lock()
	w.nature["9.2.0.0"] = "dead"
	w.restart()
	w.mu.Unlock()
	w.advance(time.Minute)
	if got := w.running(); got != "9.1.0.0" {
		t.Fatalf("%s runs", got)
	}
	before := w.agent.pid
	if o := w.run(ledger.Request{Want: ledger.Previous, Why: ledger.ByRollback}); o.Kind != ledger.WentBack {
		t.Fatalf("%+v", o)
	}
	w.whole("9.1.0.0")
	if w.agent.pid != before {
		t.Error("the agent was stopped")
	}
}
