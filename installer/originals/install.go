package originals

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/proxy"
	"github.com/ssm-setup/ssm-setup/installer/service"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Options say what to install or update to, and how.
type Options struct {
	Source         Source
	Trust          Trust
	Version        string // a version, latest, stable or a constraint; empty: what is installed, else the newest; for an update the newest
	AllowDowngrade bool
	Activation     setup.Activation // what to register with; may be empty
	Override       bool             // register anew
	Settings       map[string]any   // to be written into the agent's settings, as for Configure
	Proxy          *proxy.Address   // kept for the service; nil: what is there stays
	Authority      string           // file with the certificate of the region's own authority, kept for the service; may be empty
	Ours           Source           // where the package of ours that is replaced can be had; for a move from it to the original
	AskService     bool             // wait until the service names the version as running
	// Permit holds a decision to change the version that is installed against the host's policy; nil: there is none.
	Permit func(manifests.Decision) manifests.Decision
}

// Install installs the original, registers and starts it, and sees it healthy. What is installed stays unless another version is asked for.
func (a *Agent) Install(ctx context.Context, o Options) (setup.Result, error) {
	result := setup.Result{Agent: string(Original), Region: o.Source.Region, Source: o.Source.Base}
	if err := a.installable(o); err != nil {
		return result, err
	}
	w, release, err := a.begin(ctx)
	if err != nil {
		return result, err
	}
	defer release()
	defer w.tidy()
	w.region, w.activation, w.override, w.settings, w.proxy = o.Source.Region, o.Activation, o.Override, o.Settings, o.Proxy
	w.authority = o.Authority
	c, err := w.planInstall(o)
	if err != nil {
		return result, err
	}
	err = w.run(c, w.installSteps(c)...)
	if err == nil && o.AskService {
		if err = w.ask(c); err != nil {
			err = w.failed(err)
		}
	}
	result.Registered, result.InstanceID = w.registered, w.instanceID
	if err != nil {
		return result, err
	}
	w.describe(&result, c)
	result.Confirmed = o.AskService
	w.keepDone(c, o.Source)
	return result, w.end(Outcome{Agent: Original, Action: c.Action, Kind: Installed, Success: true, From: versionOf(c.From),
		Target:  c.To.Version,
		Running: c.To.Version, Region: o.Source.Region, Source: o.Source.Base, Signature: c.To.Signature, Confirmed: o.AskService,
		Started: c.Began, Ended: time.Now().UTC()})
}

// installable checks what can be checked before the lock is taken.
func (a *Agent) installable(o Options) error {
	if err := a.changeable(); err != nil {
		return err
	}
	if id, region, _ := a.Ports.Registered(a.Layout); id != "" && region != "" && region != o.Source.Region && !o.Override {
		return fmt.Errorf("%w: %s in %s", setup.ErrOtherRegion, id, region)
	}
	if o.AskService && a.Confirm == nil {
		return fault.Wrap(fault.Usage, errors.New("there are no credentials to ask the service with"), "")
	}
	return nil
}

// changeable fails where this system's agent cannot be changed by its package.
func (a *Agent) changeable() error {
	if a.snap() {
		return ErrSnap
	}
	if _, err := a.packing(); err != nil {
		return err
	}
	if !a.System.Managed {
		return errNoService
	}
	if text := precondition(a.System.Facts); text != "" {
		return fault.Wrap(fault.Refused, errors.New(text), manifests.HintUnsupported)
	}
	status, err := a.System.Service.Status()
	if err == nil && status.Boot == service.Masked {
		err = fault.Wrap(fault.Refused, fmt.Errorf("service %s is masked: it cannot be started", service.Name()),
			"systemctl unmask "+service.Name()+", then run the same command again")
	}
	return err
}

// planInstall finds what to install, and has all that it needs at hand.
func (w *work) planInstall(o Options) (*Change, error) {
	if c := w.interrupted(o.Version); c != nil {
		return w.settle(installing, c.To.SHA256)
	}
	if _, err := w.settle("", ""); err != nil {
		return nil, err
	}
	here, err := w.Present(w.ctx)
	if err != nil {
		return nil, err
	}
	settings, err := w.readSettings()
	if err != nil {
		return nil, err
	}
	c := &Change{Action: installing, Settings: settings, Began: time.Now().UTC()}
	if c.From, err = w.fromOurs(o.Ours); err != nil {
		return nil, err
	}
	if here.Whole && !here.Version.IsZero() && o.Version == "" {
		c.To = w.known(here.Version, o.Source)
		return c, nil
	}
	current := manifests.Version{}
	if here.Whole {
		current = here.Version
	}
	offer, answer, err := w.offer(w.ctx, o.Source.Client(), manifests.Question{Region: o.Source.Region, Running: current, Requested: o.Version,
		AllowDowngrade: o.AllowDowngrade})
	answer = o.permitted(answer)
	switch {
	case err != nil:
		return nil, err
	case answer.Kind == manifests.UpToDate:
		c.To = w.known(current, o.Source)
		return c, nil
	case !answer.Changes():
		return nil, fault.Wrap(fault.Refused, &setup.NoOffer{Answer: answer}, "")
	}
	w.newer = answer.Newer
	return c, w.haveBoth(c, current, offer, o)
}

// interrupted is an installation that ended in the middle and that this one goes on with; nil: there is none.
func (w *work) interrupted(version string) *Change {
	c := w.record.Open
	if c == nil || c.Action != installing || c.Back || c.To == nil || version != "" && version != c.To.Version.String() ||
		w.atHand(*c.To) != nil {
		return nil
	}
	return c
}

// haveBoth has the wanted package and the one that is there at hand, and tries the wanted one.
func (w *work) haveBoth(c *Change, current manifests.Version, offer Offer, o Options) error {
	if !current.IsZero() {
		from, err := w.packageOf(current, o.Source, o.Trust)
		if err != nil {
			return err
		}
		c.From = &from
	}
	to, err := w.obtain(w.ctx, o.Source, offer, o.Trust)
	if err != nil {
		return err
	}
	c.To = &to
	return w.try(to)
}

// try has the package manager do all but the change.
func (w *work) try(p Package) error {
	way, err := w.packing()
	if err != nil || way.try == nil {
		return err
	}
	_, err = w.System.Run(w.ctx, filled(way.try, w.pathOf(p))...)
	return err
}

// ErrNoWayBack says that a change is not begun because it could not be taken back.
var ErrNoWayBack = fault.New(fault.Refused, "the package of the installed version cannot be obtained, so there would be no way back",
	"name a source that has it with --source, or install the same version once with --version")

// packageOf is the package of the installed version: the kept one, or one that is fetched now.
func (w *work) packageOf(v manifests.Version, s Source, t Trust) (Package, error) {
	for _, p := range []*Package{w.record.InUse, w.record.Before} {
		if p != nil && p.Agent == Original && p.Version == v && w.atHand(*p) == nil {
			return *p, nil
		}
	}
	client := s.Client()
	m, err := client.Manifest(w.ctx)
	if err != nil {
		return Package{}, fmt.Errorf("%w: %s: %w", ErrNoWayBack, v, err)
	}
	way, err := w.packing()
	if err != nil {
		return Package{}, err
	}
	listing, _, err := way.listed(m, w.System.Arch)
	if err != nil {
		return Package{}, fmt.Errorf("%w: %s: %w", ErrNoWayBack, v, err)
	}
	offer, err := entry(listing, way.archive(w.System.Arch), v)
	if err != nil {
		return Package{}, fmt.Errorf("%w: %s: %w", ErrNoWayBack, v, err)
	}
	p, err := w.obtain(w.ctx, s, offer, t)
	if err != nil {
		return p, fmt.Errorf("%w: %s: %w", ErrNoWayBack, v, err)
	}
	return p, nil
}

// known is what is known of the installed package, where it is not fetched.
func (w *work) known(v manifests.Version, s Source) *Package {
	if p := w.record.InUse; p != nil && p.Version == v {
		return p
	}
	return &Package{Agent: Original, Version: v, Packing: w.System.Packing, Source: s.Base}
}

// installSteps are those that an installation needs.
func (w *work) installSteps(c *Change) (steps []string) {
	if len(w.settings) > 0 || w.proxy != nil || w.authority != "" || c.begun(stepSettings) {
		steps = append(steps, stepSettings)
	}
	if c.From != nil && c.From.Agent == Ours {
		steps = append(steps, stepDrain)
	}
	if c.To.File != "" && (w.record.InUse == nil || w.record.InUse.SHA256 != c.To.SHA256) || c.begun(stepPackage) {
		steps = append(steps, stepPackage)
	}
	steps = append(steps, stepRegister, stepStart, stepWatch)
	if c.From != nil && c.From.Agent == Ours {
		steps = append(steps, stepForget)
	}
	return steps
}

// ask waits until the service names the version that was installed.
func (w *work) ask(c *Change) error {
	id, region, err := w.Ports.Registered(w.Layout)
	if err != nil || id == "" {
		return errors.Join(err, fmt.Errorf("%w: this machine is not registered, so the service cannot be asked", setup.ErrUnhealthy))
	}
	w.Ports.Step("asking region %s whether %s runs version %s", region, id, c.To.Version)
	return w.confirm(w.ctx, region, id, c.To.Version.String())
}

// describe fills in the result of an installation.
func (w *work) describe(r *setup.Result, c *Change) {
	r.Version, r.Format, r.Signature = c.To.Version.String(), w.System.Packing, c.To.Signature
	if !w.newer.IsZero() {
		r.Newer = w.newer.String()
	}
	r.Installed = slices.Contains(c.Steps, stepPackage)
	if status, err := w.System.Service.Status(); err == nil {
		r.Service, r.Running, r.Boot = status.Kind, status.Running, status.Boot
	}
	r.Healthy = r.InstanceID != "" || w.complaint(w.from) == ""
}

// keepDone notes which packages are in use and in reserve after a change.
func (w *work) keepDone(c *Change, s Source) {
	w.record.Region, w.record.Source = s.Region, s.Name
	if c.To.File == "" || !c.begun(stepPackage) {
		if w.record.InUse != nil && w.record.InUse.Version != c.To.Version {
			w.record.InUse = nil
		}
		return
	}
	w.record.Before = nil
	if c.From != nil && c.From.Agent == Original {
		w.record.Before = c.From
	}
	w.record.InUse = c.To
	w.record.InUse.Agent = cmp.Or(c.To.Agent, Original)
}

// tidy removes the folder where nothing came to be in it.
func (w *work) tidy() {
	if w.record.Open == nil && w.record.InUse == nil && w.record.Last == nil {
		_ = w.Layout.DropOwn(installer.OwnOriginal)
	}
}
