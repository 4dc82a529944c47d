package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/service"
)

func uninstallVerb() *cli.Command {
	return &cli.Command{
		Name:  "uninstall",
		Usage: "stop the agent and remove it",
		Description: "Removes programs and the versions that updates added. Data, logs, settings and the registration stay, unless\n" +
			"--purge is given. The region is not told: deregister the node there.",
		Flags:  []cli.Flag{rootFlag(), &cli.BoolFlag{Name: "purge", Usage: "remove data, logs, settings and the registration, too"}},
		Action: uninstall,
	}
}

func uninstall(c *cli.Context) error {
	v := speak(c)
	layout, err := layoutOf(c)
	if err != nil {
		return err
	}
	object := "the agent from " + where(layout)
	if err := mayChange(layout); err != nil {
		return cannot("remove", object, err)
	}
	version, err := floorOf(layout)
	if err != nil {
		return cannot("remove", object, err)
	}
	removed := !version.IsZero()
	if removed || readRecord(layout).Format != "" {
		if err := remove(c.Context, layout); err != nil {
			return cannot("remove", object, err)
		}
	}
	if c.Bool("purge") {
		if err := purge(layout); err != nil {
			return cannot("purge", object, err)
		}
	}
	text := fmt.Sprintf("removed amazon-ssm-agent %s from %s", version, where(layout))
	if !removed {
		text = "there is no agent on " + where(layout)
	}
	if c.Bool("purge") {
		text += "; nothing of it is left"
	} else if removed {
		text += "; data, logs, settings and the registration stay (--purge removes them)"
	}
	v.result(map[string]any{"removed": removed, "version": version.String(), "root": layout.Root, "purged": c.Bool("purge")}, "%s", text)
	return nil
}

// remove stops the service and takes the package away, under the update lock.
func remove(ctx context.Context, l installer.Layout) error {
	release, err := lockInstallation(l)
	if err != nil {
		return err
	}
	defer release()
	if !l.System() {
		if err := service.Of(l).Stop(ctx); err != nil {
			return err
		}
		return errors.Join(takeTree(l), forget(l))
	}
	for _, p := range packagersHere() {
		if p.installed() {
			if err := runAll(ctx, p.commands(p.remove)); err != nil {
				return err
			}
		}
	}
	return forget(l)
}

// forget removes what updates put beside the floor; what package scripts do on the system.
func forget(l installer.Layout) error {
	p := l.Pointer()
	var errs []error
	paths := []string{l.StoreDir(), p.SlotDir(), p.ProbationDir(), l.Ledger(), l.Pulse(), l.UpdateRoot(), l.Download(), l.PidFile(),
		recordFile(l)}
	for _, path := range append(paths, lockFolders(l)...) {
		errs = append(errs, os.RemoveAll(path))
	}
	for _, dir := range []string{l.BinDir(), l.ConfigDir()} {
		emptyUp(l, dir, false)
	}
	return errors.Join(errs...)
}

// purge removes what a removal leaves.
func purge(l installer.Layout) error {
	if version, err := floorOf(l); err != nil || !version.IsZero() {
		return errors.Join(errors.New("the agent is still installed"), err)
	}
	if l.System() {
		for _, p := range packagersHere() {
			if p.installed() {
				return errors.New("the package is still installed")
			}
		}
	}
	err := errors.Join(os.RemoveAll(l.Data()), os.RemoveAll(l.Logs()), os.RemoveAll(l.ConfigDir()))
	for _, dir := range []string{l.Data(), l.Logs(), l.ConfigDir(), l.BinDir()} {
		if l.System() {
			os.Remove(filepath.Dir(dir)) // …/amazon, if nothing else is in it
			continue
		}
		emptyUp(l, filepath.Dir(dir), true)
	}
	return err
}
