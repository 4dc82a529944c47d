package machine

import (
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/current"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer/originals"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

const amazonsAgent = "Amazon's agent on this system"

func updateOriginal(c *cli.Context, a *originals.Agent) error {
	if c.Args().Present() {
		return terminal.Usage("unexpected argument %q", c.Args().First())
	}
	if c.IsSet("limit-rate") {
		return terminal.Usage("--limit-rate is for this project's agent: downloads of %s have no limit", amazonsAgent)
	}
	if err := checkRunning(c, a); err != nil {
		return err
	}
	s, err := sourceOf(c, a)
	if err != nil {
		return err
	}
	trust, err := trustOf(c)
	if err != nil {
		return err
	}
	permit, err := permitOriginal(c, a, s)
	if err != nil {
		return err
	}
	o := originals.Options{Source: s, Trust: trust, Version: c.String("version"), AllowDowngrade: c.Bool("allow-downgrade"),
		AskService: c.Bool("confirm-with-service"), Permit: permit}
	if rehearsed(c) {
		out, err := a.Check(c.Context, o)
		return reportOriginal(c, out, err, "update")
	}
	out, err := a.Update(c.Context, o)
	return reportOriginal(c, out, err, "update")
}

// checkRunning refuses an update of Amazon's agent where --if-running names another version than the one that is installed.
func checkRunning(c *cli.Context, a *originals.Agent) error {
	want, err := ifRunning(c)
	if err != nil || want.IsZero() {
		return err
	}
	s, err := a.Status(c.Context)
	if err == nil && s.Version != want {
		err = fault.New(fault.Refused, fmt.Sprintf("%s is installed, and the request is for hosts that run %s", s.Version, want), "")
	}
	if err != nil {
		return terminal.Cannot("update", amazonsAgent, err)
	}
	return nil
}

func rollbackOriginal(c *cli.Context, a *originals.Agent) error {
	if rehearsed(c) {
		s, err := a.Status(c.Context)
		if err != nil {
			return terminal.Cannot("read", "the state of "+amazonsAgent, err)
		}
		if s.Previous().IsZero() {
			return terminal.Cannot("roll back", amazonsAgent, errors.New("no package of a version before is kept on this machine")).
				WithKind(fault.Refused)
		}
		terminal.Of(c).Result(map[string]any{"agent": originals.Original, "from": s.Version, "target": s.Previous()},
			"would roll Amazon's agent back from %s to %s", s.Version, s.Previous())
		return nil
	}
	out, err := a.Rollback(c.Context)
	return reportOriginal(c, out, err, "roll back")
}

// reportOriginal says how a change of Amazon's agent ended, and with which exit code.
func reportOriginal(c *cli.Context, o originals.Outcome, err error, doing string) error {
	out := terminal.Of(c)
	if err == nil && o.Success {
		out.Result(o, "%s", strings.Join(append([]string{originalOutcome(o)}, o.Hints...), "\nhint: "))
		return nil
	}
	if o.Kind != "" {
		out.Result(o, "")
	}
	if err != nil {
		p := terminal.Cannot(doing, amazonsAgent, err)
		if o.Kind == originals.RolledBack {
			p = terminal.Cannot(doing, amazonsAgent, fmt.Errorf("%s failed, %s is back: %w", o.Target, o.Running, err))
		}
		return refusedBy(p)
	}
	p := terminal.Cannot(doing, amazonsAgent, errors.New(o.Detail)).WithKind(fault.Refused).WithHint(strings.Join(o.Hints, "\n"))
	if o.Kind == string(manifests.UnknownVersion) {
		p.Kind = fault.Usage
	}
	p.Name = o.Code
	return p
}

// originalOutcome is the end of a change in one sentence.
func originalOutcome(o originals.Outcome) string {
	step := fmt.Sprintf("%s → %s", o.From, o.Target)
	text := o.Detail
	switch o.Kind {
	case originals.Updated:
		text = fmt.Sprintf("updated Amazon's agent %s; %s is kept as the fallback version\n%s", step, o.From, o.Signature)
	case originals.WentBack:
		text = fmt.Sprintf("rolled Amazon's agent back %s\n%s", step, o.Signature)
	}
	switch {
	case o.Confirmed:
		text += "\nthe service names it as online"
	case o.Kind == originals.Updated, o.Kind == originals.WentBack:
		text += "\nhealthy as far as this host can tell"
	}
	return text
}

func registerOriginal(c *cli.Context, a *originals.Agent) error {
	out := terminal.Of(c)
	p, err := placeOf(c, a.Layout)
	if err != nil {
		return err
	}
	region := p.Region
	act, err := activationOf(c, out.In)
	if err != nil {
		return err
	}
	object := amazonsAgent + " in region " + region
	id, there, _ := a.Ports.Registered(a.Layout)
	if id != "" && !c.Bool("override") {
		out.Result(map[string]any{"agent": originals.Original, "instance_id": id, "region": there, "registered": false},
			"already registered in region %s as %s (--override registers anew)", there, id)
		return nil
	}
	if !act.Given() {
		return terminal.Usage("an activation is missing").WithHint("--activation-id ID --activation-code-file FILE, or " + setup.ActivationID +
			" and " + setup.ActivationCode)
	}
	if rehearsed(c) {
		out.Result(map[string]any{"agent": originals.Original, "region": region, "registered": false},
			"would register Amazon's agent in region %s", region)
		return nil
	}
	id, err = a.Register(c.Context, region, act)
	if err != nil {
		return terminal.Cannot("register", object, err)
	}
	out.Result(map[string]any{"agent": originals.Original, "instance_id": id, "region": region, "registered": true, "healthy": true},
		"registered Amazon's agent in region %s as %s, healthy as far as this host can tell", region, id)
	return nil
}

func uninstallOriginal(c *cli.Context, a *originals.Agent) error {
	here, err := a.Present(c.Context)
	if err != nil {
		return terminal.Cannot("look", "at what is installed", err)
	}
	purge := c.Bool("purge")
	would := wouldRemoveOriginal(here.Version, purge)
	if rehearsed(c) {
		terminal.Of(c).Result(map[string]any{"agent": originals.Original, "removed": false, "version": here.Version.String(), "purged": false},
			"would %s", would)
		return nil
	}
	if err := terminal.Of(c).Confirm(c.Context, c.Bool("yes"), "%s?", would); err != nil {
		return terminal.Cannot("remove", "Amazon's agent from this system", err)
	}
	if err := current.LeaveOriginal(c.Context); err != nil {
		return err
	}
	version, err := a.Remove(c.Context)
	if err != nil {
		return terminal.Cannot("remove", "Amazon's agent from this system", err)
	}
	if purge {
		if err := a.Purge(c.Context); err != nil {
			return terminal.Cannot("purge", "Amazon's agent from this system", err)
		}
	}
	text := fmt.Sprintf("removed Amazon's agent %s from this system", version)
	if purge {
		text += "; nothing of it is left"
	} else {
		text += "; data, logs, settings and the registration stay (--purge removes them)"
	}
	terminal.Of(c).Result(map[string]any{"agent": originals.Original, "removed": true, "version": version.String(), "root": "",
		"purged": purge}, "%s", text)
	return nil
}

// wouldRemoveOriginal says what an uninstall of Amazon's agent takes away.
func wouldRemoveOriginal(version manifests.Version, purge bool) string {
	text := fmt.Sprintf("remove Amazon's agent %s from this system", version)
	if purge {
		text += ", with its registration, data, logs and settings"
	}
	return text
}
