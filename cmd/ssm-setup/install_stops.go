package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/service"
	"github.com/ssm-setup/ssm-setup/installer/store"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// errOtherRegion says that the machine is registered somewhere else.
var errOtherRegion = fault.New(fault.Refused, "this machine is registered in another region",
	"ssm-setup register --override registers it anew, after that install again")

// choose decides what to install and how. What is installed stays unless another version is asked for.
func (i *installing) choose() (err error) {
	if id, region, _ := identity.Registered(i.layout); id != "" && region != "" && region != i.region && !i.override {
		return fmt.Errorf("%w: %s in %s", errOtherRegion, id, region)
	}
	if i.way, err = choosePackaging(i.layout); err != nil {
		return err
	}
	if i.floor, err = floorOf(i.layout); err != nil {
		return err
	}
	if i.base == "" {
		if i.base, err = regions.BucketURL(i.region, i.endpoint, ""); err != nil {
			return err
		}
	}
	i.source = i.base + "/" + regions.ManifestKey
	if i.stick != "" {
		i.source = i.stick
	}
	i.client = bucket.New(bucket.Options{Base: i.base, Retries: 2})
	i.result = installResult{Format: i.way.name, Region: i.region, Source: i.source, Root: i.layout.Root}
	want := i.want
	if want == "" && !i.floor.IsZero() {
		want = i.floor.String()
	}
	if i.want == "" && !i.floor.IsZero() && !i.halfPut() {
		i.offer.version = i.floor
	} else if i.offer, err = ask(i.ctx, i.client, manifests.AgentPackage, i.region, i.way.file(runtime.GOARCH), want, i.allowDowngrade, i.floor); err != nil {
		return err
	}
	i.result.Version = i.offer.version.String()
	if !i.layout.System() && !i.floor.IsZero() && i.floor != i.offer.version {
		return fmt.Errorf("%w %s and keeps it as its floor", errOtherFloor, i.floor)
	}
	return nil
}

// errOtherFloor says that an installation under a root has another version: updates change it, not a second installation.
var errOtherFloor = fault.New(fault.Refused, "the installation there has version",
	"ssm-setup update --version changes what runs; the package stays")

// note writes down what is about to be done, before it is done.
func (i *installing) note() error {
	i.record = record{Version: i.offer.version, Format: i.way.name, Region: i.region, Endpoint: i.endpoint, Began: time.Now().UTC(), Before: i.before}
	return writeRecord(i.layout, i.record)
}

// unnote leaves nothing of an installation that did not come to be; prune does the rest.
func (i *installing) unnote() {
	os.Remove(recordFile(i.layout))
	if !i.before.Agent {
		os.RemoveAll(i.layout.Download())
	}
}

// needed tells whether the package has to be put in.
func (i *installing) needed() bool { return i.floor != i.offer.version || i.halfPut() }

// halfPut tells whether an interrupted installation left a package that its manager does not call installed.
func (i *installing) halfPut() bool {
	return i.goingOn && i.way.name != archive.name && !i.way.installed()
}

func (i *installing) fetch() error {
	if !i.needed() {
		return nil
	}
	if err := os.MkdirAll(i.layout.Download(), 0o755); err != nil {
		return err
	}
	if free, err := host.FreeBytes(i.layout.Data()); err == nil && i.offer.size > 0 && free < uint64(4*i.offer.size) {
		return fmt.Errorf("%w: %s are free in %s, about %s are needed", errNoRoom, size(int64(free)), i.layout.Data(), size(4*i.offer.size))
	}
	i.archive = filepath.Join(i.layout.Download(), i.offer.file)
	err := i.client.Fetch(i.ctx, bucket.Want{URL: i.client.FileURL(manifests.AgentPackage, i.offer.version, i.offer.file), Path: i.archive,
		SHA256: i.offer.sha256, Size: i.offer.size, Tell: i.v.progress("downloading " + i.offer.file)})
	if err != nil {
		return err
	}
	i.v.step("downloaded %s %s, checksum as in the manifest", i.offer.file, i.offer.version)
	if i.inspect != nil {
		return i.inspect(i.archive, i.offer.version)
	}
	return nil
}

// errNoRoom says that the disk is too full to begin.
var errNoRoom = fault.New(fault.NoSpace, "not enough room on the disk", "")

// settings writes where updates come from, and the endpoints of a region that is not AWS's own.
func (i *installing) settings() error {
	set := map[string]any{}
	if i.stick == "" {
		set["Agent.UpdateSource"] = i.source
	}
	if i.endpoint != "" {
		at := regions.WithScheme(i.endpoint)
		for _, section := range []string{"Ssm", "Mds", "Mgs", "S3"} {
			set[section+".Endpoint"] = at
		}
	}
	maps.Copy(set, i.more)
	if err := config.Set(i.layout.ConfigFile(), set); err != nil {
		return err
	}
	now, err := os.ReadFile(i.layout.ConfigFile())
	i.changed = i.changed || string(now) != string(i.before.Config)
	return err
}

// unsettle brings the settings back as they were.
func (i *installing) unsettle() {
	if i.before.Config == nil {
		os.Remove(i.layout.ConfigFile())
		return
	}
	_ = host.WriteFile(i.layout.ConfigFile(), i.before.Config, 0o600)
}

// put installs the package and makes the pointer's slots.
func (i *installing) put() error {
	if i.needed() {
		var err error
		if i.way.name == archive.name {
			err = putTree(i.layout, i.archive, i.offer.version)
		} else {
			i.keepFloor()
			err = i.way.install(i.ctx, i.archive, i.offer.version.Less(i.floor))
		}
		if err != nil {
			return err
		}
		os.Remove(i.archive)
		os.Remove(i.layout.Download())
		i.result.Installed, i.changed = true, true
		i.v.step("installed %s (%s)", i.offer.version, i.way.name)
	}
	return store.Store{Paths: i.layout.Pointer()}.MakeSlots(i.offer.version.String())
}

// keepFloor keeps the version that a package replaces. The package's own script asks the agent to, which this run's lock stops.
func (i *installing) keepFloor() {
	if i.floor.IsZero() {
		return
	}
	if _, err := (store.Store{Paths: i.layout.Pointer()}).KeepFloor(i.floor.String()); err != nil {
		i.v.step("the installed %s could not be kept as the version before: %v", i.floor, err)
	}
}

// take removes a package that this installation, or the one it goes on with, put in.
func (i *installing) take() {
	if i.before.Agent {
		return
	}
	ctx := context.WithoutCancel(i.ctx)
	_ = service.Of(i.layout).Stop(ctx)
	if i.way.name == archive.name {
		_ = takeTree(i.layout)
		return
	}
	_ = runAll(ctx, i.way.commands(i.way.purge))
}

// register makes the machine a node, unless it is one.
func (i *installing) register() error {
	id, _, _ := identity.Registered(i.layout)
	if (id == "" || i.override) && i.activation.given() {
		var err error
		if id, err = registerNode(i.ctx, i.layout, i.region, i.activation); err != nil {
			return err
		}
		i.result.Registered, i.changed = true, true
		i.v.step("registered in region %s as %s", i.region, id)
	}
	i.result.InstanceID = id
	return nil
}

// start runs the agent, anew where something it reads at its start has changed.
func (i *installing) start() error {
	s := service.Of(i.layout)
	act := s.Start
	if i.changed {
		act, i.started = s.Restart, time.Now()
	}
	err := again(i.ctx, i.tries, act)
	if errors.Is(err, service.ErrNoManager) && i.layout.System() {
		i.result.Service = "none"
		return nil
	}
	if err != nil {
		return err
	}
	status, err := s.Status()
	i.result.Service, i.result.Running = status.Kind, err == nil
	return err
}

// await waits for the first healthy ping of a registered agent.
func (i *installing) await() error {
	if i.result.InstanceID == "" || !i.result.Running {
		return nil
	}
	took, err := awaitPing(i.ctx, i.layout, i.result.InstanceID, i.started, i.patience)
	if err != nil {
		return err
	}
	i.result.Healthy = true
	i.v.step("healthy after %.1f s", took.Seconds())
	return nil
}
