package rules

import (
	"errors"
	"io/fs"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/flags"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// Unblock is the command unblock.
func Unblock() *cli.Command {
	return &cli.Command{
		Name:      "unblock",
		ArgsUsage: "VERSION",
		Usage:     "let updates try a version again that failed on this machine",
		Description: "A version that failed here is left out for a day, then longer, as ssm-setup status and why show. Its count of attempts is\n" +
			"forgotten, too. ssm-setup update --version V tries it at once, and a version that is confirmed is no longer blocked.",
		Flags:  []cli.Flag{flags.Root(), dryRunFlag()},
		Action: unblock,
	}
}

// unblocked is the object of unblock.
type unblocked struct {
	Version manifests.Version `json:"version"`
	Blocked bool              `json:"was_blocked"`
	DryRun  bool              `json:"dry_run,omitempty"`
}

func unblock(c *cli.Context) error {
	if !c.Args().Present() {
		return terminal.Usage("which VERSION? ssm-setup why shows the blocked ones")
	}
	v, err := manifests.ParseVersion(c.Args().First())
	if err != nil {
		return terminal.Usage("%v", err)
	}
	l, err := place(c, 1, "change")
	if err != nil {
		return err
	}
	result := unblocked{Version: v, DryRun: c.Bool("dry-run")}
	led, err := ledger.Read(l)
	if err == nil {
		result.Blocked = slices.ContainsFunc(led.Skip, func(b ledger.Blocked) bool { return b.Version == v })
		if _, err = os.Stat(l.Ledger()); errors.Is(err, fs.ErrNotExist) {
			err = nil
		} else if err == nil && !result.DryRun {
			err = forget(l, v)
		}
	}
	if err != nil {
		return terminal.Cannot("unblock", v.String()+" on "+flags.Where(l), err)
	}
	out := terminal.Of(c)
	switch {
	case !result.Blocked:
		out.Result(result, "%s is not blocked on %s", v, flags.Where(l))
	case result.DryRun:
		out.Result(result, "would let updates try %s again; nothing was changed (--dry-run)", v)
	default:
		out.Result(result, "updates may try %s again", v)
	}
	return nil
}

// forget takes a version out of the record of updates, as the only one that writes it.
func forget(l installer.Layout, v manifests.Version) (err error) {
	lock, err := installer.LockUpdate(l)
	if errors.Is(err, installer.ErrBusy) {
		return fault.Wrap(fault.Busy, err, "an update is under way: wait until it is done; ssm-setup status shows it")
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	b, err := ledger.Open(l)
	if err != nil {
		return err
	}
	b.Unblock(v)
	return b.Save(true)
}
