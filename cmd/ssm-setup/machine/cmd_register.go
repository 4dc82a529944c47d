package machine

import (
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/flags"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer/service"
	"github.com/ssm-setup/ssm-setup/installer/setup"
)

// Register is the command register.
func Register() *cli.Command {
	return &cli.Command{
		Name:  "register",
		Usage: "make an installed machine a managed node",
		Description: "Registers with a hybrid activation, restarts the agent and waits for its first healthy ping. A machine that is\n" +
			"registered is left alone unless --override is given.",
		Flags: append([]cli.Flag{
			flags.Region("region of the activation"),
			rootFlag(),
			&cli.BoolFlag{Name: "override", Usage: "register anew although the machine is registered"},
			flags.Unknown(),
			dryRunFlag(), yesFlag(),
			waitFlag(),
			trialFlags()[0],
		}, activationFlags()...),
		Action: either(true, register, registerOriginal),
	}
}

func register(c *cli.Context) error {
	out := terminal.Of(c)
	i, err := installationOf(c)
	if err != nil {
		return err
	}
	p, err := placeOf(c, i.Layout)
	if err != nil {
		return err
	}
	region := p.Region
	act, err := activationOf(c, out.In)
	if err != nil {
		return err
	}
	if !act.Given() {
		return terminal.Usage("an activation is missing").WithHint("--activation-id ID --activation-code-file FILE, or " +
			setup.ActivationID + " and " +
			setup.ActivationCode)
	}
	object := where(i.Layout) + " in region " + region
	if err := setup.CheckPrivileges(i.Layout); err != nil {
		return terminal.Cannot("register", object, err)
	}
	if version, err := setup.PackageVersion(i.Layout); err != nil || version.IsZero() {
		return terminal.Cannot("register", object, errors.Join(setup.ErrNotInstalled, err))
	}
	id, there, _ := i.Ports.Registered(i.Layout)
	if id != "" && !c.Bool("override") {
		out.Result(map[string]any{"agent": "ours", "instance_id": id, "region": there, "registered": false},
			"already registered in region %s as %s (--override registers anew)", there, id)
		return nil
	}
	if done, err := rehearseRegister(c, out, object, id, there); done || err != nil {
		return err
	}
	if err := i.Ready(c.Context); err != nil {
		return terminal.Cannot("register", object, err)
	}
	if err := i.KeepAuthority(c.Context, p.Region, p.Endpoint, p.CA); err != nil {
		return terminal.Cannot("register", object, err)
	}
	if id, err = i.Register(c.Context, setup.Registration{Region: region, Activation: act}); err != nil {
		return terminal.Cannot("register", object, err)
	}
	out.Step("registered in region %s as %s", region, id)
	since := time.Now()
	if err := service.Of(i.Layout).Restart(c.Context); err != nil {
		out.Step("%s", setup.Kept(region, id))
		return terminal.Cannot("restart", "the agent of "+where(i.Layout), err)
	}
	took, err := i.AwaitPing(c.Context, id, since, c.Duration("wait"))
	if err != nil {
		return terminal.Cannot("see", "the agent of "+where(i.Layout)+" become healthy", err)
	}
	out.Result(map[string]any{"agent": "ours", "instance_id": id, "region": region, "registered": true, "healthy": true},
		"registered in region %s as %s, healthy after %.1f s", region, id, took.Seconds())
	return nil
}

// rehearseRegister says what a registration would do where that was asked for (done), and asks before one is forgotten.
func rehearseRegister(c *cli.Context, out *terminal.Printer, object, id, there string) (done bool, err error) {
	would := "register " + object
	if id != "" {
		would = fmt.Sprintf("forget the registration as %s in region %s and register %s anew", id, there, object)
	}
	if c.Bool("dry-run") {
		rehearse(out, would, nil)
		return true, nil
	}
	if id == "" {
		return false, nil
	}
	if err := out.Confirm(c.Context, c.Bool("yes"), "%s?", would); err != nil {
		return false, terminal.Cannot("register", object, err)
	}
	return false, nil
}
