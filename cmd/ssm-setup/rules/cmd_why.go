package rules

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/flags"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/updater"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
	"github.com/ssm-setup/ssm-setup/updater/policy"
)

// Why is the command why.
func Why() *cli.Command {
	return &cli.Command{
		Name:  "why",
		Usage: "show why the last updates did, or did not, happen",
		Description: "The last decisions, newest first: when, who asked, what for, the reason, and what the original agent calls it. Then the versions\n" +
			"that are blocked here, the policy, and the end of the log of updates. All of it survives rollbacks and reboots.",
		Flags: []cli.Flag{flags.Root(),
			&cli.IntFlag{Name: "decisions", Aliases: []string{"n"}, Value: 5, Usage: "how many decisions; 0: all that are kept"},
			&cli.IntFlag{Name: "lines", Value: 10, Usage: "how many lines of the log; 0: none"},
		},
		Action: why,
	}
}

// reasons is the object of why.
type reasons struct {
	Root       string           `json:"root,omitempty"`
	Decisions  []decision       `json:"decisions"` // newest first
	Blocked    []ledger.Blocked `json:"blocked"`
	UnderWay   *ledger.Update   `json:"update_under_way,omitempty"`
	Policy     ruled            `json:"policy"`
	LogFile    string           `json:"log_file"`
	Log        []string         `json:"log"`
	Unreadable []string         `json:"unreadable,omitempty"`
}

// decision is one of them with its row of the table of reasons.
type decision struct {
	ledger.Decision
	Means string `json:"means"`
}

func why(c *cli.Context) error {
	l, err := flags.Layout(c)
	if err != nil {
		return err
	}
	switch {
	case c.Args().Present():
		return terminal.Usage("unexpected argument %q", c.Args().First())
	case c.Int("decisions") < 0 || c.Int("lines") < 0:
		return terminal.Usage("--decisions and --lines must not be below zero")
	}
	r := reasonsOf(l, c.Int("decisions"), c.Int("lines"))
	terminal.Of(c).Result(r, "%s", reasonsText(r))
	return nil
}

// reasonsOf collects what is known. What cannot be read is named and left out.
func reasonsOf(l installer.Layout, most, lines int) reasons {
	r := reasons{Root: l.Root, Decisions: []decision{}, Blocked: []ledger.Blocked{}, LogFile: updater.LogFile(l), Log: []string{}}
	miss := func(what string, err error) {
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			r.Unreadable = append(r.Unreadable, fmt.Sprintf("%s: %v", what, err))
		}
	}
	past, err := ledger.Decisions(l)
	miss("the history of decisions", err)
	for i := len(past) - 1; i >= 0 && (most == 0 || len(r.Decisions) < most); i-- {
		row, _ := policy.ReasonFor(past[i].Reason)
		r.Decisions = append(r.Decisions, decision{past[i], row.Means})
	}
	led, err := ledger.Read(l)
	miss("the record of updates", err)
	r.Blocked, r.UnderWay = append(r.Blocked, led.Skip...), led.Open
	p, err := policy.Read(l)
	miss("the policy", err)
	r.Policy = ruledBy(l, p, time.Now())
	if lines > 0 {
		tail, err := lastLines(r.LogFile, lines)
		miss("the log of updates", err)
		r.Log = append(r.Log, tail...)
	}
	return r
}

// mostLog is how much of the log's end is looked at, in bytes.
const mostLog = 256 << 10

// lastLines are the last n lines of a file.
func lastLines(path string, n int) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	from := max(0, info.Size()-mostLog)
	text := make([]byte, info.Size()-from)
	got, err := f.ReadAt(text, from)
	if got == 0 && err != nil {
		return nil, nil //nolint:nilerr // it is empty, or was emptied just now
	}
	list := strings.Split(strings.TrimRight(string(text[:got]), "\n"), "\n")
	return list[max(0, len(list)-n):], nil
}

// askers are the words for who asked.
var askers = map[string]string{ledger.ByCommandLine: "ssm-setup update", ledger.ByDocument: "a document",
	ledger.BySetup: "ssm-setup install",
	ledger.ByTimer: "the schedule", ledger.ByRollback: "ssm-setup rollback"}

func reasonsText(r reasons) string {
	var list []string
	for _, d := range r.Decisions {
		list = append(list, d.lines()...)
	}
	if len(list) == 0 {
		list = append(list, "no decision is on record")
	}
	if r.UnderWay != nil {
		list = append(list, fmt.Sprintf("under way: update to %s: %s", r.UnderWay.ToVersion, r.UnderWay.Stop))
	}
	for _, b := range r.Blocked {
		text := fmt.Sprintf("blocked: %s until %s, after %d attempts: %s", b.Version, Clock(b.Until), b.Attempts, b.Reason)
		if b.Scheduled {
			text = fmt.Sprintf("blocked for scheduled updates: %s until %s: %s", b.Version, Clock(b.Until), b.Reason)
		}
		list = append(list, text)
	}
	if r.Policy.Problem != "" || !r.Policy.Empty() {
		list = append(list, policyText(r.Policy))
	}
	for _, u := range r.Unreadable {
		list = append(list, "unreadable: "+u)
	}
	if len(r.Log) > 0 {
		list = append(append(list, "the end of "+r.LogFile), r.Log...)
	}
	return strings.Join(list, "\n")
}

// lines are a decision for people.
func (d decision) lines() []string {
	step := d.From.String()
	if !d.To.IsZero() && d.To != d.From {
		step += " → " + d.To.String()
	}
	head := fmt.Sprintf("%s  %s  %s", Clock(d.At), d.Reason, step)
	if who := askers[d.Why]; who != "" {
		head += ", asked by " + who
	}
	if d.Times > 1 {
		head += fmt.Sprintf(" (%d times since %s)", d.Times, Clock(d.Since))
	}
	list := []string{head}
	add := func(format string, args ...any) { list = append(list, "    "+fmt.Sprintf(format, args...)) }
	if d.Means != "" {
		add("%s", d.Means)
	}
	for line := range strings.SplitSeq(d.Text, "\n") {
		if line != "" {
			add("%s", line)
		}
	}
	if row, ok := policy.ReasonFor(d.Overrode); ok {
		add("overridden: %s", row.Means)
	}
	if !d.Until.IsZero() {
		add("worth asking again: %s", Clock(d.Until))
	}
	if d.Status != "" {
		add("in the original's words: %s", d.Status)
	}
	return list
}
