package machine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/updater"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// Update is the command update.
func Update() *cli.Command {
	return &cli.Command{
		Name:  "update",
		Usage: "bring the agent to the version its region offers, or to another",
		Description: "Hands the request to the installed agent's own updater and follows it. The new version is on trial first: if it\n" +
			"fails, the version before runs again when this ends. Interrupting this program does not interrupt the update.",
		Flags: append([]cli.Flag{
			rootFlag(),
			&cli.StringFlag{Name: "version", Usage: "`V` is latest (default), stable, a version such as 9.2.0.0, or a constraint such as '>=9.1'"},
			&cli.BoolFlag{Name: "allow-downgrade", Usage: "accept an older version than the one that runs"},
			&cli.StringFlag{Name: "if-running", Usage: "only where `V` runs, which is looked at again just before the switch"},
			&cli.StringFlag{Name: "limit-rate", Usage: "download at most `BYTES` a second (8k or more; k and M count 1,024 and its square)"},
			&cli.BoolFlag{Name: "override", Usage: "go ahead although a hold, the versions, a window or the cooldown of this host's policy " +
				"says no; that is written down"},
			&cli.BoolFlag{Name: "scheduled", Usage: "as the timer of Amazon's agent does: the region's halt and its share of hosts count, and the next " +
				"maintenance window is waited for"},
			&cli.BoolFlag{Name: "check", Aliases: []string{"dry-run"}, Usage: "only show what would be done, when, and why not"},
		}, append(append(sourceFlags(), trustFlags()...), trialFlags()...)...),
		Action: either(true, update, updateOriginal),
	}
}

func update(c *cli.Context) error {
	if err := checkWanted(c.String("version")); err != nil {
		return err
	}
	if c.Bool("scheduled") {
		return leaveTimer(c)
	}
	l, err := installed(c)
	if err != nil {
		return err
	}
	r := ledger.Request{Want: c.String("version"), AllowDowngrade: c.Bool("allow-downgrade"), Override: c.Bool("override"),
		Why: ledger.ByCommandLine}
	if r.IfRunning, err = ifRunning(c); err != nil {
		return err
	}
	if r.LimitRate, err = limitRate(c.String("limit-rate")); err != nil {
		return err
	}
	if r.Want == ledger.Previous {
		return terminal.Usage("--version previous: that is ssm-setup rollback")
	}
	if err := takeSource(c, l, &r); err != nil {
		return err
	}
	if c.Bool("check") {
		return checkUpdate(c, l, r)
	}
	if !r.IfRunning.IsZero() { // an updater that does not know of it would go ahead
		if _, err := askUpdater(c, l, r); err != nil {
			return terminal.Cannot("update", "the agent on "+where(l), err)
		}
	}
	return order(c, l, r, "update")
}

// ifRunning is the version that has to run; none where the flag is not given.
func ifRunning(c *cli.Context) (v manifests.Version, err error) {
	if !c.IsSet("if-running") {
		return v, nil
	}
	if v, err = manifests.ParseVersion(c.String("if-running")); err != nil {
		return v, terminal.Usage("--if-running: %v", err)
	}
	return v, nil
}

// limitRate reads --limit-rate, in bytes a second; 0 where it is not given.
func limitRate(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	digits, unit := text, int64(1)
	if n, ok := strings.CutSuffix(strings.ToLower(text), "k"); ok {
		digits, unit = n, 1<<10
	} else if n, ok := strings.CutSuffix(strings.ToLower(text), "m"); ok {
		digits, unit = n, 1<<20
	}
	n, err := strconv.ParseInt(digits, 10, 32)
	if err != nil || n*unit < bucket.LeastRate {
		return 0, terminal.Usage("--limit-rate: %q is not 8k or more bytes a second, such as 500k or 2M", text)
	}
	return n * unit, nil
}

// checkWanted refuses a --version that names none.
func checkWanted(text string) error {
	switch strings.TrimSpace(text) {
	case "", "None", "latest", "stable", ledger.Previous: // that is rollback, which is said
		return nil
	}
	if _, err := manifests.ParseConstraint(text); err != nil && !strings.EqualFold(text, "stable") {
		return terminal.Usage("--version: %v", err).WithHint("latest, stable, a version such as 9.2.0.0, or a constraint such as '>=9.1'")
	}
	return nil
}

// installed is the installation to change.
func installed(c *cli.Context) (installer.Layout, error) {
	l, err := layoutOf(c)
	if err != nil {
		return l, err
	}
	if c.Args().Present() {
		return l, terminal.Usage("unexpected argument %q", c.Args().First())
	}
	version, err := setup.PackageVersion(l)
	if err == nil && version.IsZero() {
		err = setup.ErrNotInstalled
	}
	if err == nil && !c.Bool("check") && !c.Bool("dry-run") {
		err = setup.CheckPrivileges(l)
	}
	if err != nil {
		return l, terminal.Cannot(c.Command.Name, "the agent on "+where(l), err)
	}
	return l, nil
}

// order hands a request to the installed agent's updater and follows it to its end.
func order(c *cli.Context, l installer.Layout, r ledger.Request, verb string) error {
	out := terminal.Of(c)
	p := updater.Program{Path: l.Launcher(), Name: "amazon-ssm-agent", Arguments: []string{"updater"}, Environment: setup.CleanEnvironment(l)}
	id, err := updater.Launch(c.Context, p, l, r)
	if err != nil {
		return terminal.Cannot(verb, "the agent on "+where(l), err)
	}
	tell, end := follower(out, trialTime(l))
	o, err := updater.Follow(c.Context, l, id, servicePatience, tell)
	end()
	switch {
	case errors.Is(err, updater.ErrNextStart):
		out.Result(map[string]any{"id": id, "kind": "next-start"}, "the new version is in place; %v", err)
		return nil
	case errors.Is(err, context.Canceled):
		return terminal.Cannot("follow", "the update of the agent on "+where(l), err).WithHint("it goes on; ssm-setup status shows how it ends")
	case err != nil:
		return terminal.Cannot(verb, "the agent on "+where(l), err)
	}
	return report(out, l, o, verb)
}

// servicePatience is how long the tool waits with a new version that cannot reach the service, where the updater cannot either.
const servicePatience = 20 * time.Second

// trialTime is how long a new version is watched.
func trialTime(l installer.Layout) time.Duration {
	return time.Duration(config.Read(l).Agent.UpdateWatchSeconds) * time.Second
}

// follower tells of each stop once, of the download as it goes, and of the time of a trial. end is called when it is over.
func follower(out *terminal.Printer, trial time.Duration) (tell func(ledger.Update), end func()) {
	bar := out.Progress("downloading")
	last, clock := "", func() {}
	return func(u ledger.Update) {
		if u.Stop == "fetch" && u.Total > 0 {
			bar(u.Done, u.Total)
			return
		}
		text := stopText(u)
		if text == "" || text == last {
			return
		}
		clock()
		last, clock = text, func() {}
		out.Step("%s", text)
		if u.Stop == "watch" && !u.Undoing && !u.OutOfReach && !u.Known {
			clock = out.Timer("on trial", trial)
		}
	}, func() { clock() }
}

func stopText(u ledger.Update) string {
	switch {
	case u.Undoing && u.Sequence > 0:
		return fmt.Sprintf("%s fails (%s): going back to %s", u.ToVersion, plainReason(u.Reason), u.FromVersion)
	case u.Undoing:
		return ""
	case u.OutOfReach:
		return fmt.Sprintf("%s runs, but cannot reach the service: waiting for it", u.ToVersion)
	}
	switch u.Stop {
	case "plan":
		return "asking " + cmp.Or(u.Region, "the region") + " what there is"
	case "stage":
		return fmt.Sprintf("testing %s beside the running agent", u.ToVersion)
	case "switch":
		return fmt.Sprintf("switching from %s to %s", u.FromVersion, u.ToVersion)
	case "watch":
		if u.Known {
			return fmt.Sprintf("waiting until %s runs", u.ToVersion)
		}
		return fmt.Sprintf("%s is on trial", u.ToVersion)
	}
	return ""
}

// askUpdater has the installed agent say what it would do.
func askUpdater(c *cli.Context, l installer.Layout, r ledger.Request) (answer updater.Checked, err error) {
	args := []string{"updater", "check", "--want", r.Want}
	if r.AllowDowngrade {
		args = append(args, "--allow-downgrade")
	}
	if r.Once {
		args = append(args, "--once", "--source", r.Source)
	}
	if r.Override {
		args = append(args, "--override")
	}
	if !r.IfRunning.IsZero() {
		args = append(args, "--if-running", r.IfRunning.String())
	}
	cmd := exec.CommandContext(c.Context, l.Launcher(), args...)
	cmd.Args[0] = "amazon-ssm-agent"
	cmd.Env = setup.CleanEnvironment(l)
	answered, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(answered, &answer)
	}
	return answer, tooOld(err, r)
}

// checkUpdate tells what the installed agent would do.
func checkUpdate(c *cli.Context, l installer.Layout, r ledger.Request) error {
	answer, err := askUpdater(c, l, r)
	if err != nil {
		return terminal.Cannot("check", "for an update of the agent on "+where(l), err)
	}
	out := terminal.Of(c)
	if !strings.Contains(answer.Detail, answer.Newer.String()) {
		warnOlder(out, answer.Newer, answer.ToVersion)
	}
	if answer.Success && !notThere(answer.Kind) {
		out.Result(answer, "%s", checkText(answer))
		return nil
	}
	out.Result(answer, "")
	out.Detail("%s", strings.Join(planLines(answer), "\n"))
	text := answer.Detail
	if text == "" {
		text = lastOf(answer.Lines)
	}
	p := terminal.Cannot("update", "the agent on "+where(l), errors.New(text)).WithKind(kindOf(answer.Kind, answer.Fault))
	p.Name = answer.Code
	return p.WithHint(strings.Join(append(answer.Hints, policyHints(answer.Kind)...), "\n"))
}

func lastOf(lines []string) string {
	if len(lines) == 0 {
		return "no answer"
	}
	return lines[len(lines)-1]
}

// exitText is what a program that failed said last.
func exitText(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) && len(exit.Stderr) > 0 {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
	}
	return err
}
