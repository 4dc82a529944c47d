package originals

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Check says what an update would do. Nothing is changed, and no lock is taken.
func (a *Agent) Check(ctx context.Context, o Options) (Outcome, error) {
	here, err := a.whole(ctx)
	if err != nil {
		return Outcome{}, err
	}
	_, answer, err := a.offer(ctx, o.Source.Client(), o.question(here.Version))
	return a.decided(o.permitted(answer), o.Source), err
}

// Would says what an installation would do. Nothing is changed, fetched or locked; what needs a package to be looked at is not.
func (a *Agent) Would(ctx context.Context, o Options) (Outcome, error) {
	if err := a.installable(o); err != nil {
		return Outcome{}, err
	}
	here, err := a.Present(ctx)
	if err != nil {
		return Outcome{}, err
	}
	running := manifests.Version{}
	if here.Whole {
		running = here.Version
	}
	_, answer, err := a.offer(ctx, o.Source.Client(), o.question(running))
	answer = o.permitted(answer)
	if err == nil && !answer.Changes() && answer.Kind != manifests.UpToDate {
		err = fault.Wrap(fault.Refused, &setup.NoOffer{Answer: answer}, "")
	}
	out := a.decided(answer, o.Source)
	out.Action = installing
	if running.IsZero() && answer.Changes() {
		out.Detail = fmt.Sprintf("version %s (%s)", answer.Target, a.System.Packing)
	}
	return out, err
}

// question is what an update asks.
func (o Options) question(running manifests.Version) manifests.Question {
	return manifests.Question{Region: o.Source.Region, Running: running, Requested: o.Version, AllowDowngrade: o.AllowDowngrade}
}

// permitted is a decision as the host's policy leaves it. A first installation replaces nothing, and is not held against it.
func (o Options) permitted(d manifests.Decision) manifests.Decision {
	if o.Permit == nil || !d.Changes() || d.Running.IsZero() {
		return d
	}
	return o.Permit(d)
}

// decided is the outcome of a decision.
func (a *Agent) decided(d manifests.Decision, s Source) Outcome {
	return Outcome{Agent: Original, Action: updating, Kind: string(d.Kind), Success: d.Success, Code: d.Code, From: d.Running,
		Target:  d.Target,
		Running: d.Running, Region: s.Region, Source: s.Base, Lines: d.Lines, Detail: d.Detail, Hints: d.Hints, Newer: d.Newer}
}

// whole is the installed package; [setup.ErrNotInstalled] where there is none, or none that is whole.
func (a *Agent) whole(ctx context.Context) (Presence, error) {
	here, err := a.Present(ctx)
	switch {
	case err != nil:
		return here, err
	case here.Packing == "snap":
		return here, ErrSnap
	case !here.Whole || here.Version.IsZero():
		return here, setup.ErrNotInstalled
	}
	return here, nil
}

// Update brings the original to the version that its region offers, or to another. A version that does not prove itself is taken back; the
// error has the kind for that then. Where nothing is to be changed the outcome says why.
func (a *Agent) Update(ctx context.Context, o Options) (Outcome, error) {
	w, release, err := a.toChange(ctx)
	if err != nil {
		return Outcome{}, err
	}
	defer release()
	here, err := a.whole(ctx)
	if err != nil {
		return Outcome{}, err
	}
	offer, answer, err := w.offer(ctx, o.Source.Client(), o.question(here.Version))
	if answer = o.permitted(answer); err != nil || !answer.Changes() {
		return a.decided(answer, o.Source), err
	}
	w.newer = answer.Newer
	c := &Change{Action: updating, Began: time.Now().UTC()}
	if err := w.haveBoth(c, here.Version, offer, o); err != nil {
		return a.decided(answer, o.Source), err
	}
	return w.exchange(c, Updated, o)
}

// Rollback goes back to the version before, whose package is kept here: no network is needed.
func (a *Agent) Rollback(ctx context.Context) (Outcome, error) {
	w, release, err := a.toChange(ctx)
	if err != nil {
		return Outcome{}, err
	}
	defer release()
	here, err := a.whole(ctx)
	if err != nil {
		return Outcome{}, err
	}
	s := Source{Region: w.record.Region, Name: w.record.Source}
	none := Outcome{Agent: Original, Action: rollingBack, Kind: NoPrevious, From: here.Version, Running: here.Version, Region: s.Region}
	before := w.record.Before
	if before == nil || before.Version == here.Version {
		return none, fault.Wrap(fault.Refused, fmt.Errorf("no package of a version before %s is kept on this machine", here.Version),
			"ssm-setup update --version V --allow-downgrade gets an older one")
	}
	if last := w.record.Last; last != nil && last.Kind == WentBack && last.Running == here.Version {
		return none, fault.Wrap(fault.Refused, fmt.Errorf("this machine was rolled back from %s to %s already", last.From, here.Version),
			fmt.Sprintf("ssm-setup update --version %s goes forward again", last.From))
	}
	if err := w.atHand(*before); err != nil {
		return none, err
	}
	from := w.record.InUse
	if from == nil || from.Version != here.Version || w.atHand(*from) != nil {
		return none, fmt.Errorf("%w: %s", ErrNoWayBack, here.Version)
	}
	c := &Change{Action: rollingBack, From: from, To: before, Began: time.Now().UTC()}
	if err := w.try(*before); err != nil {
		return none, err
	}
	return w.exchange(c, WentBack, Options{Source: s})
}

// toChange takes the lock for a change of what is installed, and takes back what ended in the middle.
func (a *Agent) toChange(ctx context.Context) (*work, func(), error) {
	if err := a.changeable(); err != nil {
		return nil, nil, err
	}
	w, release, err := a.begin(ctx)
	if err != nil {
		return nil, nil, err
	}
	if _, err := w.settle("", ""); err != nil {
		release()
		return nil, nil, err
	}
	return w, func() { w.tidy(); release() }, nil
}

// exchange puts one package in the place of another and sees it healthy.
func (w *work) exchange(c *Change, kind string, o Options) (Outcome, error) {
	w.region, w.changed = o.Source.Region, true // no script of a package is relied on to start the new version
	settings, err := w.readSettings()
	if err != nil {
		return Outcome{}, err
	}
	c.Settings = settings
	err = w.run(c, stepPackage, stepStart, stepWatch)
	if err == nil && o.AskService {
		if err = w.ask(c); err != nil {
			err = w.failed(err)
		}
	}
	if err != nil {
		return w.lost(c, err)
	}
	done := Outcome{Agent: Original, Action: c.Action, Kind: kind, Success: true, From: versionOf(c.From), Target: c.To.Version,
		Running: c.To.Version, Region: o.Source.Region, Source: c.To.Source, Signature: c.To.Signature, Confirmed: o.AskService,
		Newer: w.newer, Started: c.Began, Ended: time.Now().UTC()}
	w.keepDone(c, o.Source)
	return done, w.end(done)
}

// lost is the outcome of a change that was taken back, or could not be.
func (w *work) lost(c *Change, err error) (Outcome, error) {
	if w.record.Open != nil { // it stays open
		return Outcome{Agent: Original, Action: c.Action, Kind: Failed, From: versionOf(c.From), Target: versionOf(c.To), Started: c.Began,
			Reason: err.Error()}, err
	}
	if errors.Is(err, context.Canceled) {
		return *w.record.Last, err
	}
	return *w.record.Last, fault.Wrap(fault.RolledBack, err, "")
}
