package originals

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// errCrossing says that a system's installers cannot exchange the two agents in one step.
var errCrossing = fault.New(fault.Refused, "this system's installers cannot exchange the two agents in one step",
	"ssm-setup uninstall, then ssm-setup install with --agent; the registration stays")

// crossable fails where the two agents cannot be exchanged in one transaction.
func (a *Agent) crossable() error {
	if a.System.Packing != "deb" && a.System.Packing != "rpm" {
		return errCrossing
	}
	return nil
}

// ToOurs moves a system from the original to this project's agent: put has the package manager put that in the original's place and sees it
// healthy. It runs under the lock that this function holds. Where it fails the original is brought back. o says where the original's
// package comes from, if it is not kept here.
func (a *Agent) ToOurs(ctx context.Context, o Options, put func(context.Context) error) error {
	if err := errors.Join(a.changeable(), a.crossable()); err != nil {
		return err
	}
	w, release, err := a.toChange(ctx)
	if err != nil {
		return err
	}
	defer release()
	here, err := a.whole(ctx)
	if err != nil {
		return err
	}
	from, err := w.packageOf(here.Version, o.Source, o.Trust)
	if err != nil {
		return err
	}
	settings, err := w.readSettings()
	if err != nil {
		return err
	}
	w.takeOver = put
	if err := w.run(&Change{Action: toOurs, From: &from, Settings: settings, Began: time.Now().UTC()}, stepSettings, stepPackage); err != nil {
		if w.record.Open == nil {
			return fault.Wrap(fault.RolledBack, err, "")
		}
		return err
	}
	w.record = Record{}
	return a.Layout.DropOwn(installer.OwnOriginal)
}

// fromOurs is the package of this project's agent that is installed, fetched so that it can be brought back; nil: it is not installed.
func (w *work) fromOurs(s Source) (*Package, error) {
	v, err := setup.PackageVersion(w.Layout)
	if errors.Is(err, setup.ErrOriginal) || err == nil && v.IsZero() {
		return nil, nil
	}
	if err = errors.Join(err, w.crossable()); err != nil {
		return nil, err
	}
	client := s.Client()
	offer, err := setup.ReadOffer(w.ctx, client, w.System.OursFile, manifests.Question{Package: manifests.AgentPackage, Region: s.Region,
		Requested: v.String()})
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrNoWayBack, v, err)
	}
	p := Package{Agent: Ours, Version: v, Packing: w.System.Packing, File: offer.SHA256.String() + "-" + offer.File,
		SHA256: offer.SHA256.String(), Source: s.Base}
	fetched := filepath.Join(w.Layout.Own(installer.OwnOriginal), packagesName, p.File)
	err = client.Fetch(w.ctx, bucket.Want{URL: client.FileURL(manifests.AgentPackage, v, offer.File), Path: fetched, SHA256: offer.SHA256,
		Size: offer.Size, Progress: w.Ports.Progress("downloading " + offer.File)})
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrNoWayBack, v, err)
	}
	w.Ports.Step("downloaded %s %s, to be able to go back to it", offer.File, v)
	return &p, nil
}

// forgetOurs removes what updates put beside the package of ours that is there no more.
func (w *work) forgetOurs() error { return w.Forget() }

// Unfinished tells whether a change ended in the middle.
func (a *Agent) Unfinished() bool {
	r, err := a.ReadRecord()
	return err == nil && r.Open != nil
}

// Settle takes back a change that ended in the middle, for a command that has nothing else to do with the original.
func (a *Agent) Settle(ctx context.Context) error {
	_, release, err := a.toChange(ctx)
	if err != nil {
		return err
	}
	release()
	return nil
}
