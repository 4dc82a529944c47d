package setup

import (
	"context"
	"errors"

	"github.com/ssm-setup/ssm-setup/installer/authority"
	"github.com/ssm-setup/ssm-setup/regions"
)

// keepAuthority keeps the certificate of the region's own authority, so that the agent believes it, or removes one that was kept where the
// host goes to a region of AWS.
func (r *run) keepAuthority() error {
	aws := regions.Known(r.Region) && r.Endpoint == ""
	if r.Authority == "" && !(aws && authority.Kept(r.Layout)) {
		return nil
	}
	systemd := underSystemd(r.Layout)
	r.formerAuthority = authority.Remember(r.Layout)
	err := authority.Forget(r.Layout)
	if err == nil && r.Authority != "" {
		err = authority.Keep(r.Layout, r.Authority, systemd)
	}
	if err != nil {
		return err
	}
	r.changed = true
	return reloadUnits(r.ctx, systemd)
}

// restoreAuthority brings back what was kept before.
func (r *run) restoreAuthority() {
	if r.formerAuthority == nil {
		return
	}
	systemd := underSystemd(r.Layout)
	if err := errors.Join(r.formerAuthority(systemd), reloadUnits(context.WithoutCancel(r.ctx), systemd)); err != nil {
		r.Ports.Step("the certificate that was kept for the agent cannot be taken back: %v", err)
	}
}

// KeepAuthority is what an installation does about the authority of a region that a registration goes to: file holds its certificate;
// empty: it has none of its own.
func (i Installation) KeepAuthority(ctx context.Context, region, endpoint, file string) error {
	r := &run{Installation: i, Options: Options{Region: region, Endpoint: endpoint, Authority: file}, ctx: ctx}
	return r.keepAuthority()
}
