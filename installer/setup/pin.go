package setup

import (
	"github.com/ssm-setup/ssm-setup/installer/anchor"
	"github.com/ssm-setup/ssm-setup/regions/trust"
)

// pin makes the root that was named the host's, before anything is read from the region.
func (r *run) pin() (err error) {
	if r.Trust != nil {
		if r.pinned, err = anchor.Pin(r.Layout, r.Trust); err != nil {
			return err
		}
	}
	r.signed = anchor.Signed(r.Layout, trust.Watch{Warn: func(line string) { r.Ports.Step("warning: %s", line) }})
	return nil
}

// unpin gives up a root that this run has pinned, where nothing was installed by it.
func (r *run) unpin() {
	if r.pinned {
		_ = anchor.Unpin(r.Layout)
	}
}

// believed is the root that verified the source, in words.
func (r *run) believed() (string, error) {
	t, err := r.client.Verified(r.ctx)
	if err != nil || t.Root == 0 {
		return "", err
	}
	return t.String(), nil
}
