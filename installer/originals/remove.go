package originals

import (
	"context"
	"errors"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// Remove stops the service and takes the package away. Data, logs, settings and registration stay; what this room keeps goes. It returns
// the version that was there.
func (a *Agent) Remove(ctx context.Context) (manifests.Version, error) {
	if a.snap() {
		return manifests.Version{}, ErrSnap
	}
	if _, err := a.packing(); err != nil {
		return manifests.Version{}, err
	}
	w, release, err := a.begin(ctx)
	if err != nil {
		return manifests.Version{}, err
	}
	defer release()
	if _, err := w.settle(uninstalling, ""); err != nil {
		return manifests.Version{}, err
	}
	here, err := a.Present(ctx)
	if err != nil {
		return here.Version, err
	}
	if here.Whole && !here.Version.IsZero() {
		c := &Change{Action: uninstalling, Began: time.Now().UTC(), From: w.record.InUse}
		w.change, w.record.Open = c, c
		c.Steps = []string{stepRemove}
		if err := w.writeRecord(&w.record); err != nil {
			return here.Version, err
		}
		w.at("before " + stepRemove)
		if err := w.removePackage(); err != nil { // it stays open: the next removal goes on with it
			return here.Version, err
		}
		w.at("after " + stepRemove)
	}
	return here.Version, a.Layout.DropOwn(installer.OwnOriginal)
}

// Purge removes what a removal leaves, the registration with it.
func (a *Agent) Purge(ctx context.Context) error {
	return errors.Join(a.Layout.DropOwn(installer.OwnOriginal), a.Installation.Purge(ctx))
}
