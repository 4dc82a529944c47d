package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/flags"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/updater/policy"
)

// mostWindows bounds the windows of a policy.
const mostWindows = 20

// Policy is the command policy.
func Policy() *cli.Command {
	return &cli.Command{
		Name:  "policy",
		Usage: "show or change what updates of this machine may do",
		Description: "Without a flag: the hold, the versions, the maintenance windows and the cooldown that count. A flag changes its part, an empty\n" +
			"value takes it away. A window is five fields of cron (minute, hour, day, month, weekday), how long it is open, and a zone; updates\n" +
			"begin in a window only, and a scheduled one that was missed is caught up. A policy that cannot be obeyed allows nothing.",
		Flags: []cli.Flag{flags.Root(),
			&cli.StringFlag{Name: "version", Usage: "updates lead to versions within `CONSTRAINT` only, such as '>=9.3 <9.5' (it looks at the first " +
				"three parts), or to one version"},
			&cli.StringSliceFlag{Name: "window", Usage: "a `WINDOW` such as '0 2 * * SUN 3h Europe/Berlin'; give it several times for several. " +
				"Zones: Local (default), UTC, +02:00, and names where the system has the tz database"},
			&cli.StringFlag{Name: "cooldown", Usage: "updates leave a release alone until it has been published for `DURATION`, such as 72h or 3d"},
			dryRunFlag(),
		},
		Action: showPolicy,
	}
}

func showPolicy(c *cli.Context) error {
	if !c.IsSet("version") && !c.IsSet("window") && !c.IsSet("cooldown") {
		l, err := flags.Layout(c)
		if err == nil && c.Args().Present() {
			err = terminal.Usage("unexpected argument %q", c.Args().First())
		}
		if err != nil {
			return err
		}
		p, err := policy.Read(l)
		if err != nil {
			return terminal.Cannot("read", "the update policy of "+flags.Where(l), err)
		}
		r := ruledBy(l, p, time.Now())
		terminal.Of(c).Result(r, "%s", policyText(r))
		return nil
	}
	edit, err := edits(c)
	if err != nil {
		return err
	}
	l, err := place(c, 0, "change")
	if err != nil {
		return err
	}
	return change(c, l, "change", edit, func(_, p policy.Policy) string { return policyText(ruledBy(l, p, time.Now())) })
}

// edits are what the flags change, checked before anything is touched.
func edits(c *cli.Context) (func(*policy.Policy), error) {
	p, now := policy.Policy{Versions: strings.TrimSpace(c.String("version")), Cooldown: strings.TrimSpace(c.String("cooldown"))}, time.Now()
	if p.Versions != "" {
		if _, err := manifests.ParseConstraint(p.Versions); err != nil {
			return nil, terminal.Usage("--version: %v", err)
		}
	}
	if p.Cooldown == "0" {
		p.Cooldown = ""
	}
	windows := slices.DeleteFunc(slices.Clone(c.StringSlice("window")), func(text string) bool { return strings.TrimSpace(text) == "" })
	if len(windows) > mostWindows {
		return nil, terminal.Usage("--window is given %d times, at most %d", len(windows), mostWindows)
	}
	for _, text := range windows {
		w, err := policy.ParseWindow(text, now)
		if err != nil {
			return nil, terminal.Usage("--window: %v", err)
		}
		p.Windows = append(p.Windows, w)
	}
	if err := p.Check(now); err != nil {
		return nil, terminal.Usage("--cooldown: %v", err)
	}
	return func(to *policy.Policy) {
		if c.IsSet("version") {
			to.Versions = p.Versions
		}
		if c.IsSet("window") {
			to.Windows = p.Windows
		}
		if c.IsSet("cooldown") {
			to.Cooldown = p.Cooldown
		}
	}, nil
}

// policyText is a policy for people.
func policyText(r ruled) string {
	list := Lines(r.Policy, r.WindowOpen, r.Closes, r.Next)
	if r.Problem != "" {
		list = append(list, "  cannot be obeyed, so nothing is updated: "+r.Problem)
	}
	if len(list) == 0 {
		return "no policy: updates may happen at any time, to any version"
	}
	return strings.Join(append([]string{"updates obey"}, list...), "\n")
}

// Lines are what a policy says, one line each.
func Lines(p policy.Policy, open bool, closes, next time.Time) (list []string) {
	for _, row := range Rows(p, open, closes, next) {
		list = append(list, Line(row[0], "%s", row[1]))
	}
	return list
}

// Rows are what a policy says: names, and what they are.
func Rows(p policy.Policy, open bool, closes, next time.Time) (list [][2]string) {
	add := func(name, format string, args ...any) {
		list = append(list, [2]string{name, fmt.Sprintf(format, args...)})
	}
	if p.Hold != nil {
		text := p.Hold.String()
		if p.At(time.Now()) == nil {
			text += " (it has run out)"
		}
		add("hold", "%s", text)
	}
	if p.Versions != "" {
		add("versions", "%s", p.Versions)
	}
	for _, w := range p.Windows {
		add("window", "%s", w)
	}
	switch {
	case len(p.Windows) > 0 && open:
		add("window is open", "until %s", Clock(closes))
	case len(p.Windows) > 0 && !next.IsZero():
		add("window opens", "%s", Clock(next))
	}
	if p.Cooldown != "" {
		add("cooldown", "%s after a release was published", p.Cooldown)
	}
	return list
}

// Line is a name and what it is, in columns.
func Line(name, format string, args ...any) string {
	return fmt.Sprintf("  %-17s ", name) + fmt.Sprintf(format, args...)
}

// Clock is a time for people, in their own zone.
func Clock(t time.Time) string { return t.Local().Format("2006-01-02 15:04") }
