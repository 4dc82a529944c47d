package rules

import (
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/flags"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/updater/policy"
)

// longestReason bounds a hold's reason, in bytes.
const longestReason = 500

// Hold is the command hold.
func Hold() *cli.Command {
	return &cli.Command{
		Name:      "hold",
		ArgsUsage: "[VERSION]",
		Usage:     "keep the agent at the version that runs, or let it go to VERSION and no further",
		Description: "Updates by schedule, by documents and by ssm-setup update leave a held machine as it is, and say so. A person at the machine\n" +
			"may go on with ssm-setup update --override; a rollback does not look at it. A hold that has ended no longer counts.",
		Flags: []cli.Flag{flags.Root(),
			&cli.StringFlag{Name: "reason", Usage: "`TEXT` that answers and status show"},
			&cli.StringFlag{Name: "until", Usage: "the hold ends at `TIME`: 2031-01-31, 2031-01-31 18:00 (of this machine's zone), or RFC 3339"},
			&cli.StringFlag{Name: "for", Usage: "the hold ends after `DURATION`, such as 12h or 14d"},
			dryRunFlag(),
		},
		Action: hold,
	}
}

func hold(c *cli.Context) error {
	h := policy.Hold{Reason: c.String("reason"), Since: time.Now().UTC().Truncate(time.Second)}
	if text := c.Args().First(); text != "" {
		var err error
		if h.Version, err = manifests.ParseVersion(text); err != nil {
			return terminal.Usage("%v", err)
		}
	}
	if len(h.Reason) > longestReason {
		return terminal.Usage("--reason has more than %d bytes", longestReason)
	}
	end, err := endOf(c, h.Since)
	if err != nil {
		return err
	}
	h.Until = end
	l, err := place(c, 1, "change")
	if err != nil {
		return err
	}
	return change(c, l, "change", func(p *policy.Policy) { p.Hold = &h }, func(_, p policy.Policy) string {
		return "the agent on " + flags.Where(l) + " is " + p.Hold.String()
	})
}

// endOf is when --until or --for ends a hold; zero: neither is given.
func endOf(c *cli.Context, now time.Time) (time.Time, error) {
	switch {
	case c.IsSet("until") && c.IsSet("for"):
		return time.Time{}, terminal.Usage("--until and --for exclude each other")
	case c.IsSet("for"):
		d, err := policy.ParseDuration(c.String("for"))
		if err != nil || d == 0 {
			return time.Time{}, terminal.Usage("--for: %q is no duration such as 12h or 14d", c.String("for"))
		}
		return now.Add(d), nil
	case c.IsSet("until"):
		for _, form := range []string{time.DateOnly, "2006-01-02 15:04", "2006-01-02T15:04", time.RFC3339} {
			t, err := time.ParseInLocation(form, c.String("until"), time.Local)
			if err != nil {
				continue
			}
			if !t.After(now) {
				return t, terminal.Usage("--until: %s is over", c.String("until"))
			}
			return t.UTC(), nil
		}
		return time.Time{}, terminal.Usage("--until: %q is no time such as 2031-01-31 or 2031-01-31T18:00:00Z", c.String("until"))
	}
	return time.Time{}, nil
}

// Unhold is the command unhold.
func Unhold() *cli.Command {
	return &cli.Command{
		Name:        "unhold",
		Usage:       "end a hold",
		Description: "The rest of the policy stays. It updates nothing: the next look, document or ssm-setup update does that.",
		Flags:       []cli.Flag{flags.Root(), dryRunFlag()},
		Action:      unhold,
	}
}

func unhold(c *cli.Context) error {
	l, err := place(c, 0, "change")
	if err != nil {
		return err
	}
	return change(c, l, "change", func(p *policy.Policy) { p.Hold = nil }, func(before, _ policy.Policy) string {
		if before.Hold == nil {
			return "the agent on " + flags.Where(l) + " was not held"
		}
		return "the agent on " + flags.Where(l) + " is no longer held; it was " + before.Hold.String()
	})
}
