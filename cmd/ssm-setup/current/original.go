package current

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer/timer"
)

// timerOf is the timer of a machine with Amazon's agent.
func timerOf() (timer.Timer, error) {
	program, err := os.Executable()
	if err == nil {
		program, err = filepath.EvalSymlinks(program)
	}
	host, nameErr := os.Hostname()
	return timer.Timer{Program: program, Host: host}, errors.Join(err, nameErr)
}

// Original has the system keep Amazon's agent current, or not any more, as the flags say; without one it stays as it is.
func Original(c *cli.Context) error {
	on, off := c.Bool("stay-current"), c.Bool("no-stay-current")
	if !on && !off {
		return nil
	}
	if off {
		return LeaveOriginal(c.Context)
	}
	t, err := timerOf()
	t.AllowUnsigned = c.Bool("allow-unsigned")
	for _, key := range c.StringSlice("key") {
		path, absErr := filepath.Abs(key)
		t.Keys, err = append(t.Keys, path), errors.Join(err, absErr)
	}
	if err == nil {
		err = t.Write(c.Context)
	}
	if err != nil {
		return terminal.Cannot("keep", "Amazon's agent on this system current; it is installed", err)
	}
	terminal.Of(c).Step("the system runs ssm-setup update every %d hours", timer.Every)
	return nil
}

// LeaveOriginal removes the timer, if there is one.
func LeaveOriginal(ctx context.Context) error {
	t, err := timerOf()
	if err == nil {
		err = t.Remove(ctx)
	}
	if err != nil {
		return terminal.Cannot("remove", "the timer of Amazon's agent on this system", err)
	}
	return nil
}
