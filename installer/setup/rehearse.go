package setup

import (
	"context"

	"github.com/ssm-setup/ssm-setup/installer/anchor"
	"github.com/ssm-setup/ssm-setup/regions/trust"
)

// Rehearse says what [Installation.Install] would do, as far as it can be known without a change: which package of which version it
// would put in (Installed), and whether it would register. It needs no privileges and takes no lock.
func (i Installation) Rehearse(ctx context.Context, o Options) (Result, error) {
	r := &run{Installation: i, Options: o, ctx: ctx}
	r.chooseSource()
	if err := r.checkAddresses(); err != nil {
		return r.result, err
	}
	r.record = readRecord(i.Layout)
	r.goingOn = r.record.Format != ""
	r.signed = anchor.Look(i.Layout, o.Trust, trust.Watch{})
	if err := r.resolve(); err != nil {
		return r.result, err
	}
	id, _, err := i.Ports.Registered(i.Layout)
	r.result.Installed, r.result.InstanceID = r.needed(), id
	r.result.Registered = o.Activation.Given() && (id == "" || o.Override)
	return r.result, err
}
