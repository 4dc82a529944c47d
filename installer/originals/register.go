package originals

import (
	"context"
	"errors"

	"github.com/ssm-setup/ssm-setup/installer/setup"
)

// Register makes the installed original a managed node: it is stopped, registers itself, is started and watched. Where it does not become
// healthy the registration stays.
func (a *Agent) Register(ctx context.Context, region string, act setup.Activation) (instanceID string, err error) {
	w, release, err := a.toChange(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	if _, err := a.whole(ctx); err != nil {
		return "", err
	}
	id, kept, err := a.registerAnew(ctx, region, act)
	if kept {
		a.Ports.Step("the registration of before is put back")
	}
	if err != nil {
		return "", errors.Join(err, a.System.Service.Start(context.WithoutCancel(ctx)))
	}
	a.Ports.Step("registered in region %s as %s", region, id)
	from := w.mark()
	if err := a.System.Service.Start(ctx); err != nil {
		a.Ports.Step("%s", setup.Kept(region, id))
		return id, err
	}
	if err := a.watch(ctx, from, true); err != nil {
		return id, err
	}
	w.record.Region = region
	if w.record.InUse == nil && w.record.Last == nil {
		return id, nil
	}
	return id, w.writeRecord(&w.record)
}
