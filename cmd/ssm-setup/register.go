package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests/fault"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/service"
)

func registerVerb() *cli.Command {
	return &cli.Command{
		Name:  "register",
		Usage: "make an installed machine a managed node",
		Description: "Registers with a hybrid activation, restarts the agent and waits for its first healthy ping. A machine that is\n" +
			"registered is left alone unless --override is given.",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "region", Usage: "region of the activation", Required: true},
			rootFlag(),
			&cli.BoolFlag{Name: "override", Usage: "register anew although the machine is registered"},
			&cli.BoolFlag{Name: "allow-unknown-region", Usage: "accept a region name that is not in the table"},
			waitFlag(),
		}, activationFlags()...),
		Action: register,
	}
}

// errRegistration says that the service refused an activation.
var errRegistration = fault.New(fault.Registration, "the service refused the registration", "")

// registerTime is how long a registration may take: the original's 60 s.
const registerTime = 60 * time.Second

func register(c *cli.Context) error {
	v := speak(c)
	layout, err := layoutOf(c)
	if err != nil {
		return err
	}
	region := c.String("region")
	cfg, err := configOf(layout)
	if err != nil {
		return cannot("read", layout.ConfigFile(), err)
	}
	if err := checkRegion(region, cfg.Ssm.Endpoint, c.Bool("allow-unknown-region")); err != nil {
		return err
	}
	act, err := activationOf(c, v.in)
	if err != nil {
		return err
	}
	if !act.given() {
		return usage("an activation is missing").withHint("--activation-id ID --activation-code-file FILE, or " + activationID + " and " + activationCode)
	}
	object := where(layout) + " in region " + region
	if err := mayChange(layout); err != nil {
		return cannot("register", object, err)
	}
	if floor, err := floorOf(layout); err != nil || floor.IsZero() {
		return cannot("register", object, errors.Join(errNotInstalled, err))
	}
	id, there, _ := identity.Registered(layout)
	if id != "" && !c.Bool("override") {
		v.result(map[string]any{"instance_id": id, "region": there, "registered": false}, "already registered in region %s as %s (--override registers anew)", there, id)
		return nil
	}
	if id, err = registerNode(c.Context, layout, region, act); err != nil {
		return cannot("register", object, err)
	}
	v.step("registered in region %s as %s", region, id)
	since := time.Now()
	if err := service.Of(layout).Restart(c.Context); err != nil {
		return cannot("restart", "the agent of "+where(layout), err)
	}
	took, err := awaitPing(c.Context, layout, id, since, c.Duration("wait"))
	if err != nil {
		return cannot("see", "the agent of "+where(layout)+" become healthy", err)
	}
	v.result(map[string]any{"instance_id": id, "region": region, "registered": true, "healthy": true},
		"registered in region %s as %s, healthy after %.1f s", region, id, took.Seconds())
	return nil
}

// registerNode has the agent register itself; the activation travels in its environment.
func registerNode(ctx context.Context, l installer.Layout, region string, act activation) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, registerTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, l.Launcher(), "-register", "-y", "-region", region)
	cmd.Env = cleanEnvironment(l, activationID+"="+act.id, activationCode+"="+act.code)
	cmd.WaitDelay = 2 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", fmt.Errorf("%w: no answer within %s", errRegistration, registerTime)
		}
		return "", refusal(out.String(), err)
	}
	id, _, err := identity.Registered(l)
	if err == nil && id == "" {
		err = errors.New("the agent registered, but no instance id is in its vault")
	}
	return id, err
}

var awsCode = regexp.MustCompile(`\b(InvalidActivation|ActivationExpired|RegistrationLimitExceeded|AlreadyRegistered|[A-Z][A-Za-z]+Exception)\b`)

// refusal turns what the agent printed into an error: its own words, one line.
func refusal(out string, err error) error {
	const mark = "Registration failed due to "
	text := strings.TrimSpace(out)
	if i := strings.LastIndex(text, mark); i >= 0 {
		text, _, _ = strings.Cut(text[i+len(mark):], "\n")
	} else if i := strings.LastIndex(text, "\n"); i >= 0 {
		text = text[i+1:]
	}
	if text == "" {
		return err
	}
	if awsCode.MatchString(text) {
		return fmt.Errorf("%w: %s", errRegistration, text)
	}
	return fmt.Errorf("registration failed: %s", text)
}
