package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/ssm-setup/ssm-setup/installer"
)

// errNoActivation says that a package asked for a registration and left no word of it.
var errNoActivation = errors.New("the package wrote down no activation to register with")

// activationNote is what a package writes down for the registration: a list of processes, and what Windows records of it, shows
// command lines to others.
type activationNote struct{ region, id, code string }

// packageRegister registers with what the package wrote down, which is gone before the first request.
func packageRegister(ctx context.Context, args []string) error {
	switch {
	case len(args) == 1 && args[0] == "-prepare":
		return makeActivationKey()
	case len(args) == 1 && args[0] == "-undo":
		return dropActivationKey()
	case len(args) != 0:
		return fmt.Errorf("package register takes -prepare, -undo or nothing, not %q", args)
	}
	note, err := takeActivation()
	if err != nil {
		return err
	}
	return registerWith(ctx, note, installer.Here, os.Stdout, os.Stderr)
}

func registerWith(ctx context.Context, note activationNote, layout func() (installer.Layout, error), out, fault io.Writer) error {
	if note.region == "" || note.id == "" || note.code == "" {
		return errNoActivation
	}
	values := map[string]string{activationIDVariable: note.id, activationCodeVariable: note.code}
	c := registration{in: os.Stdin, out: out, err: fault, layout: layout, getenv: func(name string) string { return values[name] }}
	if code := c.run(ctx, []string{"-register", "-y", "-region", note.region}); code != 0 {
		return errors.New("this machine was not registered")
	}
	return nil
}
