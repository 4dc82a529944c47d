package rules

import (
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/flags"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/updater/policy"
)

func dryRunFlag() cli.Flag {
	return &cli.BoolFlag{Name: "dry-run", Usage: "only show what would be done"}
}

// place is the installation that --root names, for a command with at most so many arguments, which writes to it.
func place(c *cli.Context, arguments int, doing string) (installer.Layout, error) {
	l, err := flags.Layout(c)
	if err != nil {
		return l, err
	}
	if c.NArg() > arguments {
		return l, terminal.Usage("unexpected argument %q", c.Args().Get(arguments))
	}
	if !c.Bool("dry-run") {
		if err := setup.CheckPrivileges(l); err != nil {
			return l, terminal.Cannot(doing, "the update policy of "+flags.Where(l), err)
		}
	}
	return l, nil
}

// ruled is the object of hold, unhold and policy.
type ruled struct {
	Root    string `json:"root,omitempty"`
	DryRun  bool   `json:"dry_run,omitempty"`
	Changed bool   `json:"changed"`
	policy.Policy
	Held       bool      `json:"held"`        // a hold counts now
	WindowOpen bool      `json:"window_open"` // there is no window, or one is open
	Closes     time.Time `json:"window_closes,omitzero"`
	Next       time.Time `json:"window_next,omitzero"`
	Problem    string    `json:"problem,omitempty"` // why the policy cannot be obeyed, so that nothing is updated
}

func ruledBy(l installer.Layout, p policy.Policy, now time.Time) ruled {
	r := ruled{Root: l.Root, Policy: p, Held: p.At(now) != nil}
	r.WindowOpen, r.Closes, r.Next = p.Window(now)
	r.WindowOpen = r.WindowOpen || len(p.Windows) == 0
	if err := p.Check(now); err != nil {
		r.Problem = err.Error()
	}
	return r
}

// change writes the policy, or with --dry-run tells what it would be, and prints it.
func change(c *cli.Context, l installer.Layout, doing string, edit func(*policy.Policy), text func(before,
	after policy.Policy) string) error {
	before, err := policy.Read(l)
	if err != nil {
		return terminal.Cannot(doing, "the update policy of "+flags.Where(l), err)
	}
	after := before
	edit(&after)
	r := ruledBy(l, after, time.Now())
	r.DryRun = c.Bool("dry-run")
	if !r.DryRun {
		if err := os.MkdirAll(l.Data(), 0o755); err != nil {
			return terminal.Cannot(doing, "the update policy of "+flags.Where(l), err)
		}
		if _, err := policy.Change(l, edit); err != nil {
			return terminal.Cannot(doing, "the update policy of "+flags.Where(l), err)
		}
		r.Changed = true
	}
	said := text(before, after)
	if r.DryRun {
		said += "; nothing was changed (--dry-run)"
	}
	terminal.Of(c).Result(r, "%s", said)
	return nil
}
