package setup

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/service"
	"github.com/ssm-setup/ssm-setup/installer/store"
)

// applySettings writes where updates come from, and the endpoints of a region that is not AWS's own.
func (r *run) applySettings() error {
	set := map[string]any{}
	maps.Copy(set, r.sourceSettings())
	maps.Copy(set, r.serviceSettings())
	maps.Copy(set, r.Settings)
	if r.Current != nil {
		current, err := r.Current(r.source, !r.before.Agent && !saysCurrent(r.before.Config))
		if err != nil {
			return err
		}
		maps.Copy(set, current)
	}
	if err := r.Ports.Configure(r.ConfigFile(), set); err != nil {
		return err
	}
	now, err := os.ReadFile(r.ConfigFile())
	r.changed = r.changed || string(now) != string(r.before.Config)
	return err
}

// saysCurrent tells whether settings say already what the agent follows, be it nothing.
func saysCurrent(text []byte) bool {
	var has struct{ Agent struct{ StayCurrent *string } }
	return json.Unmarshal(text, &has) == nil && has.Agent.StayCurrent != nil
}

// restoreSettings brings the settings back as they were.
func (r *run) restoreSettings() {
	if r.before.Config == nil {
		os.Remove(r.ConfigFile())
		return
	}
	_ = host.WriteFile(r.ConfigFile(), r.before.Config, 0o600)
}

// install puts the package in and makes the pointer's slots.
func (r *run) install() error {
	if r.needed() {
		r.keepPackage()
		if err := r.way.install(r.ctx, r.Layout, r.archive, r.offer.Version, r.offer.Version.Less(r.current)); err != nil {
			return err
		}
		os.Remove(r.archive)
		os.Remove(r.Download())
		r.result.Installed, r.changed = true, true
		r.Ports.Step("installed %s (%s)", r.offer.Version, r.way.Name)
	}
	return store.Store{Paths: r.Pointer()}.MakeSlots(r.offer.Version.String())
}

// keepPackage keeps the version that a package replaces. The package's own script asks the agent to, which this run's lock stops.
func (r *run) keepPackage() {
	if r.way.Name == archive.Name || r.current.IsZero() {
		return
	}
	if _, err := (store.Store{Paths: r.Pointer()}).KeepFloor(r.current.String()); err != nil {
		r.Ports.Step("the installed %s could not be kept as the version before: %v", r.current, err)
	}
}

// remove removes a package that this installation, or the one it goes on with, put in.
func (r *run) remove() {
	if r.before.Agent {
		return
	}
	ctx := context.WithoutCancel(r.ctx)
	_ = service.Of(r.Layout).Stop(ctx)
	if r.way.Name == archive.Name {
		_ = removeTree(r.Layout)
		return
	}
	command := r.way.purge
	if r.result.Registered { // it would go with the data
		command = r.way.remove
	}
	_ = runAll(ctx, r.way.commands(command))
}

// register makes the machine a node, unless it is one.
func (r *run) register() error {
	id, _, _ := r.Ports.Registered(r.Layout)
	if (id == "" || r.Override) && r.Activation.Given() {
		var err error
		if id, err = r.Register(r.ctx, Registration{Region: r.Region, Activation: r.Activation}); err != nil {
			return err
		}
		r.result.Registered, r.result.InstanceID, r.changed = true, id, true
		r.Ports.Step("registered in region %s as %s", r.Region, id)
	}
	r.result.InstanceID = id
	return nil
}

// start runs the agent, anew where something it reads at its start has changed.
func (r *run) start() error {
	if hastened, err := service.HastenRestart(r.ctx, r.Layout); err != nil {
		r.Ports.Step("the service's unit has lost its additions, and they cannot be put back: %v", err)
	} else if hastened {
		r.Ports.Step("the service's unit has its additions again")
	}
	s := service.Of(r.Layout)
	act := s.Start
	if r.changed {
		act, r.result.Started = s.Restart, time.Now()
	}
	if err := Retry(r.ctx, r.Tries, act); err != nil {
		return err
	}
	status, err := s.Status()
	r.result.Service, r.result.Running, r.result.Boot = status.Kind, err == nil, status.Boot
	return err
}
