package releases

import (
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
)

// Mark is the command mark.
func Mark() *cli.Command {
	return &cli.Command{
		Name:  "mark",
		Usage: "change what a region says of a published version: its status, the share of hosts it is for, whether it is withdrawn",
		Description: "A status goes into the manifest: agents update away from a deprecated version and never to an inactive one; apt and yum\n" +
			"see active versions only. latest/VERSION and stable/VERSION stay as they are. The other marks go into\n" +
			regions.IndexKey + ", for the hosts that stay current by themselves: --percent is the share of them that a version\n" +
			"is for (the hosts of 10 percent are among those of 25), --halt stops them all until --resume. What a person or a document\n" +
			"asks for goes on. --withdraw and --lowest count on hosts with a root of trust only, for which the index has to be signed.",
		Flags: append(append([]cli.Flag{
			&cli.StringFlag{Name: "version", Usage: "version to mark"},
			&cli.StringFlag{Name: "status", Usage: "Active, Deprecated or Inactive"},
			percentFlag(),
			&cli.BoolFlag{Name: "halt", Usage: "stop the updates that hosts do by themselves"},
			&cli.BoolFlag{Name: "resume", Usage: "let them go on"},
			&cli.StringFlag{Name: "withdraw", Usage: "hosts that run one of `VERSIONS` go to --go: 9.1.0.0, or 9.1.0.0-9.1.3.0"},
			&cli.StringFlag{Name: "go", Usage: "the version they go to"},
			&cli.StringFlag{Name: "lowest", Usage: "no host goes below `VERSION`; the word none takes that back"},
			&cli.StringFlag{Name: "minimum-package", Usage: "updates ask for a package of `VERSION` or newer on the host: " +
				"\"package upgrade needed\"; the word none takes that back"},
			&cli.StringFlag{Name: "minimum-updater", Usage: "updates ask for an agent of `VERSION` or newer that makes them; none takes that back"},
			&cli.StringFlag{Name: "reason", Usage: "why, for the people of those hosts"},
			yesFlag(),
		}, writeFlags()...), signingFlags()...),
		Action: mark,
	}
}

// percentFlag is for commands that set for which share of hosts a version is.
func percentFlag() cli.Flag {
	return &cli.IntFlag{Name: "percent", DefaultText: "as it is, at first 100",
		Usage: "share of the hosts that stay current by themselves which the version is for, 0 to 100"}
}

// percentOf is --percent; nil where it is left out.
func percentOf(c *cli.Context) (*int, error) {
	if !c.IsSet("percent") {
		return nil, nil
	}
	n := c.Int("percent")
	if n < 0 || n > 100 {
		return nil, terminal.Usage("--percent: %d is not between 0 and 100", n)
	}
	return &n, nil
}

// marks are the flags of which one has to be given; true for those that are about --version.
var marks = []struct {
	flag      string
	ofVersion bool
}{{"status", true}, {"percent", true}, {"halt", false}, {"resume", false}, {"withdraw", false}, {"lowest", false},
	{"minimum-package", false}, {"minimum-updater", false}}

func mark(c *cli.Context) error {
	version, err := wantedVersion(c)
	if err != nil {
		return err
	}
	var set []string
	for _, m := range marks {
		if !c.IsSet(m.flag) {
			continue
		}
		set = append(set, "--"+m.flag)
		if m.ofVersion && version.IsZero() {
			return terminal.Usage("--%s needs --version", m.flag)
		}
		if !m.ofVersion && !version.IsZero() {
			return terminal.Usage("--%s is about all versions: leave --version out", m.flag)
		}
	}
	switch {
	case len(set) == 0:
		return terminal.Usage("one of --status, --percent, --halt, --resume, --withdraw, --lowest, --minimum-package, --minimum-updater is needed")
	case len(set) > 1:
		return terminal.Usage("%s are different marks: give one at a time", strings.Join(set, " and "))
	case set[0] == "--status":
		return markStatus(c, version)
	}
	return markIndex(c, version, set[0])
}

func markStatus(c *cli.Context, version manifests.Version) error {
	out := terminal.Of(c)
	status, err := statusWord(c.String("status"))
	if err != nil {
		return err
	}
	to, o, _, done, err := openRegion(c)
	if err != nil {
		return err
	}
	defer done()
	if status == manifests.Inactive && !o.DryRun {
		if err := out.Confirm(c.Context, c.Bool("yes"), "take %s away from every host of region %s?", version, o.Region); err != nil {
			return terminal.Cannot("mark", fmt.Sprintf("%s in %s", version, to), err)
		}
	}
	res, err := publish.Mark(c.Context, to, version, status, o)
	if err != nil {
		return terminal.Cannot("mark", fmt.Sprintf("%s in %s", version, to), err)
	}
	text := fmt.Sprintf("%s is %s in region %s", version, status, o.Region)
	if status != manifests.Active {
		text += publish.Withdrawn(res)
	}
	if res.DryRun {
		text = plan(res.Steps)
	}
	out.Result(publishAnswer{res, o.Region, to.String()}, "%s", text)
	return nil
}

func statusWord(text string) (string, error) {
	for _, word := range []string{manifests.Active, manifests.Deprecated, manifests.Inactive} {
		if strings.EqualFold(text, word) {
			return word, nil
		}
	}
	return "", terminal.Usage("--status: %q is not Active, Deprecated or Inactive", text)
}

// said is a mark in a region's index: what it does there, what is asked before, what it says afterwards, and the version that the
// region must have for it.
type said struct {
	change        func(*manifests.Index) error
	question, end string
	listed        []manifests.Version
}

func markIndex(c *cli.Context, version manifests.Version, flag string) error {
	out := terminal.Of(c)
	what, err := saidOf(c, version, flag)
	if err != nil {
		return err
	}
	to, o, _, done, err := openRegion(c)
	if err != nil {
		return err
	}
	defer done()
	object := "region " + o.Region + " in " + to.String()
	if what.question != "" && !o.DryRun {
		if err := out.Confirm(c.Context, c.Bool("yes"), what.question+" of region %s?", o.Region); err != nil {
			return terminal.Cannot("mark", object, err)
		}
	}
	res, err := publish.ChangeIndex(c.Context, to, o, what.change, what.listed...)
	if err != nil {
		return terminal.Cannot("mark", object, err)
	}
	text := fmt.Sprintf("region %s: %s", o.Region, what.end)
	if res.DryRun {
		text = plan(res.Steps)
	}
	out.Result(publishAnswer{res, o.Region, to.String()}, "%s", text)
	return nil
}

// saidOf reads the flags of a mark before anything is opened.
func saidOf(c *cli.Context, version manifests.Version, flag string) (said, error) {
	switch flag {
	case "--percent":
		share, err := percentOf(c)
		if err != nil {
			return said{}, err
		}
		return said{
			change: func(x *manifests.Index) error { x.SetShare(version, *share); return nil },
			end:    fmt.Sprintf("%s is for %d percent of the hosts that stay current by themselves", version, *share),
			listed: []manifests.Version{version},
		}, nil
	case "--halt":
		return said{
			change: func(x *manifests.Index) error { return halt(x, c.String("reason")) },
			end:    "hosts do not update by themselves until ssm-setup mark --resume; update and documents go on",
		}, nil
	case "--resume":
		return said{
			change: func(x *manifests.Index) error { x.Halted = nil; return nil },
			end:    "hosts that stay current update by themselves again",
		}, nil
	case "--withdraw":
		return withdrawal(c)
	case "--minimum-package", "--minimum-updater":
		return minimum(c, strings.TrimPrefix(flag, "--"))
	}
	return lowest(c)
}

// halt keeps the time of a halt that is there already.
func halt(x *manifests.Index, reason string) error {
	if x.Halted == nil {
		x.Halted = &manifests.Halt{Since: time.Now().UTC().Truncate(time.Second)}
	}
	if reason != "" {
		x.Halted.Reason = reason
	}
	return nil
}

// withdrawal is --withdraw with --go.
func withdrawal(c *cli.Context) (said, error) {
	first, last, isRange := strings.Cut(c.String("withdraw"), "-")
	if !isRange {
		last = first
	}
	w := manifests.Withdrawal{Reason: c.String("reason")}
	for _, part := range []struct {
		flag, text string
		to         *manifests.Version
	}{{"withdraw", first, &w.From}, {"withdraw", last, &w.To}, {"go", c.String("go"), &w.Go}} {
		v, err := manifests.ParseVersion(part.text)
		if err != nil {
			return said{}, terminal.Usage("--%s: %v", part.flag, err)
		}
		*part.to = v
	}
	if err := w.Check(); err != nil {
		return said{}, terminal.Usage("--withdraw: %v", err)
	}
	return said{
		change:   func(x *manifests.Index) error { x.Withdraw(w); return nil },
		question: fmt.Sprintf("send every host that runs %s to %s to %s, though it is held, on all hosts", w.From, w.To, w.Go),
		end:      fmt.Sprintf("%s to %s are withdrawn: hosts with a root of trust go to %s", w.From, w.To, w.Go),
		listed:   []manifests.Version{w.Go},
	}, nil
}

// lowest is --lowest.
func lowest(c *cli.Context) (said, error) {
	text := c.String("lowest")
	var v manifests.Version
	end := "there is no lowest version any more"
	if text != "none" {
		var err error
		if v, err = manifests.ParseVersion(text); err != nil {
			return said{}, terminal.Usage("--lowest: %v; the word none takes it back", err)
		}
		end = fmt.Sprintf("hosts with a root of trust never go below %s", v)
	}
	return said{change: func(x *manifests.Index) error { x.Floor = v; return nil }, end: end}, nil
}

// minimum is --minimum-package and --minimum-updater.
func minimum(c *cli.Context, flag string) (said, error) {
	text, what := c.String(flag), strings.TrimPrefix(flag, "minimum-")
	var v manifests.Version
	end := "any " + what + " will do again"
	if text != "none" {
		var err error
		if v, err = manifests.ParseVersion(text); err != nil {
			return said{}, terminal.Usage("--%s: %v; the word none takes it back", flag, err)
		}
		end = fmt.Sprintf("updates ask for %s or newer as the %s of the host, and say so where it is older", v, what)
	}
	return said{end: end, change: func(x *manifests.Index) error {
		m := manifests.Minimum{}
		if x.Minimum != nil {
			m = *x.Minimum
		}
		if what == "package" {
			m.Launcher = v
		} else {
			m.Updater = v
		}
		if x.Minimum = &m; m.Launcher.IsZero() && m.Updater.IsZero() {
			x.Minimum = nil
		}
		return nil
	}}, nil
}
