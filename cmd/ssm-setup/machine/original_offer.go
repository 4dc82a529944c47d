package machine

import (
	"context"
	"errors"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer/originals"
)

// chosen is the agent to install.
func chosen(c *cli.Context, w originals.Wish, offers func() (originals.Offered, error)) (kind originals.Kind, err error) {
	if w.Asked, err = offerOurs(c.Context, terminal.Of(c), w, offers); err != nil {
		return "", err
	}
	return originals.Choose(w, offers)
}

// offerOurs offers to put ours in the place of Amazon's agent, where that is installed, the source has ours, too, and the command line says
// neither. A person is asked; a script is told the flag. A no leaves Amazon's agent in place.
func offerOurs(ctx context.Context, p *terminal.Printer, w originals.Wish, offers func() (originals.Offered, error)) (originals.Kind,
	error) {
	if w.Asked != "" || w.Installed != originals.Original || w.Version != "" {
		return w.Asked, nil
	}
	if have, err := offers(); err != nil || !have.Ours {
		return w.Asked, nil //nolint:nilerr // the installation itself needs no more than what is here
	}
	if !p.Asks() {
		p.Step("the source has this project's agent, too: --agent ours puts it in the place of Amazon's; registration and settings stay")
		return w.Asked, nil
	}
	switch err := p.Confirm(ctx, false, "Amazon's agent is installed here. Put this project's in its place? Registration and settings stay."); {
	case errors.Is(err, terminal.ErrDeclined):
		return w.Asked, nil
	case err != nil:
		return "", err
	}
	return originals.Ours, nil
}
