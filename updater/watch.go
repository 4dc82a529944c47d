package updater

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
	"github.com/ssm-setup/ssm-setup/updater/watch"
)

// watch is the seventh stop. The updater, not the agent, decides whether the new version proved itself, by the rules of
// [watch.Probation]. Where the deciding is not its own (no launcher runs, this process is asked to end) it leaves everything to resume.
func (w *work) watch(ctx context.Context) error {
	if w.u.Known {
		return w.awaitKnown(ctx)
	}
	pause := min(installer.BeatPeriod(w.Settings.Watch)/2, 500*time.Millisecond)
	clock := watch.NewClock(w.Now(), pause)
	before := watch.Baseline{Registered: w.u.Registered, Lanes: w.u.Lanes}
	rules := watch.NewProbation(w.watched(), w.Settings.Watch, before, w.switched, clock.Now())
	prober := watch.NewProber(w.probeLanes, w.Settings.Watch)
	defer func() { w.probed = w.probed || prober.Asked() }()
	defer prober.End()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	renewed := clock.Now()
	for {
		if w.displaced() {
			return errLeave
		}
		at := w.Now()
		now := clock.Move(at)
		prober.Step(ctx, rules, now)
		look := w.observer().Look(now, w.u.Sequence)
		verdict, reason := rules.See(look)
		if done, err := w.carryOut(ctx, rules, verdict, reason, look); done || err != nil {
			return err
		}
		w.saveReach(rules.OutOfReach(now), at)
		if w.u.OutOfReach && w.superseded() {
			return &failure{
				code:  codeRolledBack,
				fault: fault.Superseded,
				text:  w.trialText("a newer request came while the service was out of reach"),
			}
		}
		if at.Sub(renewed) > 10*time.Minute {
			renewed = at
			w.renew()
		}
		if w.Pause(ctx, pause) != nil {
			return errLeave
		}
	}
}

// carryOut does what a verdict says. done: the version proved itself.
func (w *work) carryOut(
	ctx context.Context,
	rules *watch.Probation,
	verdict watch.Verdict,
	reason string,
	look watch.Look,
) (done bool, err error) {
	switch verdict {
	case watch.GoOn:
	case watch.Confirm:
		err := w.stillRegistered()
		if err != nil && look.Now.Sub(rules.Began()) >= watch.Deadline(w.Settings.Watch) {
			return false, w.failTrial("it cannot read the registration: " + err.Error())
		}
		return err == nil, nil
	case watch.Undo:
		w.u.Blameless, w.u.HostFault = rules.Blameless(), rules.HostFault()
		if !w.u.Blameless {
			if err := w.hostFault(); err != nil {
				w.u.Blameless, w.u.HostFault = true, true
				reason += fmt.Sprintf(" (this machine was in the way: %v)", err)
			}
		}
		return false, w.failTrial(reason)
	case watch.StopAgent:
		w.stopAgent(ctx, look.Agent)
	case watch.Deserted:
		if !w.revive() {
			return false, w.leaveForNextStart()
		}
		rules.Revived(look.Now)
	}
	return false, nil
}

// hostFault looks for what on this machine keeps any version from being confirmed: a disk that takes nothing, a pulse that cannot be
// written.
func (w *work) hostFault() error {
	if err := host.TryDisk(w.Layout.Data()); host.IsDiskFault(err) {
		return err
	}
	f, err := os.OpenFile(w.Layout.Pulse(), os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = f.Close()
	}
	return err
}

// probeLanes is a round trip to the service by the updater itself, on every way that the version on trial needs.
func (w *work) probeLanes(ctx context.Context) error {
	err := w.probe(ctx)
	for _, lane := range w.u.Lanes {
		if err == nil && w.ProbeLane != nil {
			err = w.ProbeLane(ctx, lane)
		}
	}
	return err
}

// saveReach has followers of the ledger see whether the service is out of reach, and that this updater moves.
func (w *work) saveReach(outOfReach bool, at time.Time) {
	if outOfReach != w.u.OutOfReach || at.Sub(w.saved) > 30*time.Second {
		w.saved, w.u.OutOfReach, w.u.Moved = at, outOfReach, at
		_ = w.ledger.Save(false)
	}
}

// watched is what the watch is about.
func (w *work) watched() watch.Version {
	return watch.Version{Number: w.u.ToVersion.String(), Target: w.u.To, Sequence: w.u.Sequence}
}

// observer looks at the installation.
func (w *work) observer() watch.Observer {
	return watch.Observer{Layout: w.Layout, Launcher: w.launcher, Agent: w.System.Agent, Boot: w.System.Boot}
}

// stillRegistered looks whether the registration can be read, where there was one before.
func (w *work) stillRegistered() error {
	if !w.u.Registered {
		return nil
	}
	id, err := w.Identity()
	if err == nil && id == "" {
		err = errors.New("there is none any more")
	}
	return err
}

// reviveAfter is how long no launcher may be seen where no service manager keeps one, before the updater starts another: the moment in
// which one takes over from another is shorter.
const reviveAfter = 800 * time.Millisecond

// launcher tells which launcher runs. Where none does and no service manager would start one, it starts one itself, at once.
func (w *work) launcher() (pid int, running bool) {
	pid, running = w.System.Launcher()
	switch now := w.Now(); {
	case running:
		w.noLauncher = time.Time{}
	case w.noLauncher.IsZero():
		w.noLauncher = now
	case now.Sub(w.noLauncher) >= reviveAfter && w.System.Unmanaged != nil && w.System.Unmanaged() && w.revive():
		w.noLauncher = time.Time{}
	}
	return pid, running
}

// mostRevivals is how many launchers one watch starts before it leaves the update to the next start.
const mostRevivals = 3

// revive starts a launcher that was killed in the moment between two agents: no agent is there that could, and without a service
// manager no other program would. False where there is nothing to revive.
func (w *work) revive() bool {
	if w.System.Revive == nil || w.revived >= mostRevivals {
		return false
	}
	w.revived++
	pid, err := w.System.Revive()
	switch {
	case err != nil:
		w.Log.Error("launcher not started", "error", err)
	case pid != 0:
		w.Log.Warn("the launcher is gone: started another", "pid", pid)
	}
	return err == nil && pid != 0
}

// leaveForNextStart leaves the update to the next start of the service.
func (w *work) leaveForNextStart() error {
	w.u.NextStart, w.u.Moved = true, w.Now()
	if err := w.ledger.Save(true); err != nil {
		return err
	}
	w.Log.Info("the service does not run: the update takes effect at its next start")
	return errLeave
}

func (w *work) superseded() bool {
	for _, r := range ledger.Waiting(w.Layout, w.Now()) {
		if r.Explicit() {
			return true
		}
	}
	return false
}

// displaced looks after the update lock: its folder may have been removed or moved. True means that another updater has it by now, and
// has the update too.
func (e *Engine) displaced() bool {
	if e.lock == nil {
		return false
	}
	holder, lost, err := e.lock.Keep()
	if err != nil {
		e.Log.Debug("cannot take the update lock anew, its folder is gone", "error", err)
	}
	if lost {
		e.Log.Error("another updater has the update lock, for its folder was removed or moved: this one ends", "process", holder)
	}
	return lost
}

// renew tells originals that the update lock still counts.
func (w *work) renew() {
	if w.lock == nil {
		return
	}
	if err := w.lock.Renew(); err != nil {
		w.Log.Warn("cannot renew the update lock", "error", err)
	}
}

func (w *work) failTrial(reason string) error {
	return &failure{code: codeRolledBack, fault: fault.RolledBack, text: w.trialText(reason)}
}

func (w *work) trialText(reason string) string {
	return fmt.Sprintf("failed to update %v to %v, failed to start the agent, ErrorMessage=%v", w.product(), w.u.ToVersion, reason)
}

// awaitKnown waits for life in a version that was confirmed here before; it needs no service for that.
func (w *work) awaitKnown(ctx context.Context) error {
	err := w.alive(ctx, w.u.ToVersion.String())
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errNoLauncher):
		return w.leaveForNextStart()
	case errors.Is(err, errLeave):
		return err
	}
	return w.failTrial(err.Error())
}

// errNoLauncher says that no launcher runs, so no agent can live.
var errNoLauncher = errors.New("no launcher runs")

// alive waits until an agent of a version beat twice, for as long as one may be silent, at least 20 s. One of another version that
// was started under an older pointer is asked to leave again; a launcher that starts no agent is waited for.
func (w *work) alive(ctx context.Context, version string) error {
	pause := min(installer.BeatPeriod(w.Settings.Watch)/2, 200*time.Millisecond)
	state, _ := w.store.Read()
	clock := watch.NewClock(w.Now(), pause)
	rules := watch.NewLiveness(watch.Version{Number: version, Sequence: state.Sequence}, w.Settings.Watch, w.u.Since, clock.Now())
	for {
		look := w.observer().Look(clock.Move(w.Now()), state.Sequence)
		switch verdict, reason := rules.See(look); verdict {
		case watch.GoOn:
		case watch.Confirm:
			return nil
		case watch.Undo:
			return errors.New(reason)
		case watch.StopAgent:
			w.stopAgent(ctx, look.Agent)
		case watch.Deserted:
			if !w.revive() {
				return errNoLauncher
			}
			rules.Revived(look.Now)
		}
		if w.Pause(ctx, pause) != nil {
			return errLeave
		}
	}
}
