package machine

import (
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/anchor"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/regions/trust"
)

// Trust is the command trust.
func Trust() *cli.Command {
	return &cli.Command{
		Name:      "trust",
		Usage:     "show by which root this machine verifies releases; trust clear gives it up",
		ArgsUsage: "[clear]",
		Description: "A machine that has a root takes only what is signed by it: install --trust root.json pins one, and a package can bring one\n" +
			"(build --trust). trust clear is the only way back: from then on unsigned releases count, too. Only an administrator\n" +
			"of the machine can do that, and is asked. An expired root or an expired list holds updates back; it never stops the agent.",
		Flags:  []cli.Flag{rootFlag(), dryRunFlag(), yesFlag()},
		Action: trustAction,
	}
}

// trustFlag names a root to pin.
func trustFlag() cli.Flag {
	return &cli.StringFlag{Name: "trust", Usage: "root of trust in `FILE` (root.json of ssm-setup keys) that is pinned: from then on this machine takes only what is\n" +
		"signed by it"}
}

// watchTrust has warnings about what ends soon be told to people.
func watchTrust(c *cli.Context) trust.Watch {
	return trust.Watch{Warn: func(line string) { terminal.Of(c).Warn("%s", line) }}
}

// namedRoot reads the root that --trust names.
func namedRoot(c *cli.Context) ([]byte, error) {
	file := c.String("trust")
	if file == "" {
		return nil, nil
	}
	root, err := os.ReadFile(file)
	if err == nil {
		_, err = trust.ParseRoot(root)
	}
	if err != nil {
		return nil, terminal.Cannot("trust", file, err)
	}
	return root, nil
}

// trustResult is the object of trust --json.
type trustResult struct {
	Trusted  bool        `json:"trusted"`      // this machine has a root
	By       string      `json:"by,omitempty"` // what updates are believed by: root, tls, folder, http
	Root     int64       `json:"root,omitempty"`
	SHA256   string      `json:"sha256,omitempty"`
	Place    string      `json:"place"`
	Seen     time.Time   `json:"newest_signed_time,omitzero"`
	Roles    []trustRole `json:"roles,omitempty"`
	Expired  bool        `json:"expired"` // one of them: updates wait
	Warnings []string    `json:"warnings,omitempty"`
}

// trustRole is one signed file as it was last verified.
type trustRole struct {
	Name    string    `json:"name"`
	Version int64     `json:"version"`
	Expires time.Time `json:"expires"`
	Signed  time.Time `json:"signed,omitzero"`
}

// trustOfMachine is what is known of an installation's root.
func trustOfMachine(l installer.Layout) (trustResult, error) {
	r := trustResult{Place: anchor.Place(l).Dir}
	f, ok, err := anchor.Facts(l)
	if r.Trusted = ok; !ok || err != nil {
		return r, err
	}
	r.Root, r.SHA256, r.Seen, r.Warnings = f.Root, f.SHA256, f.Seen, f.Warnings(time.Now())
	for _, role := range f.Roles {
		r.Roles = append(r.Roles, trustRole{role.Name, role.Version, role.Expires, role.Signed})
		r.Expired = r.Expired || !f.Now(time.Now()).Before(role.Expires)
	}
	return r, nil
}

func trustAction(c *cli.Context) error {
	l, err := layoutOf(c)
	if err != nil {
		return err
	}
	switch c.Args().First() {
	case "":
		r, err := trustOfMachine(l)
		if err != nil {
			return terminal.Cannot("read", "the root of trust of "+where(l), err)
		}
		terminal.Of(c).Result(r, "%s", trustText(l, r))
		return nil
	case "clear":
		if c.Args().Len() > 1 {
			return terminal.Usage("unexpected argument %q", c.Args().Get(1))
		}
		return clearTrust(c, l)
	}
	return terminal.Usage("unexpected argument %q", c.Args().First()).WithHint("ssm-setup trust, or ssm-setup trust clear")
}

func clearTrust(c *cli.Context, l installer.Layout) error {
	out, object := terminal.Of(c), "the root of trust of "+where(l)
	if err := setup.CheckPrivileges(l); err != nil {
		return terminal.Cannot("give up", object, err)
	}
	pinned, err := anchor.Place(l).Pinned()
	if err != nil {
		return terminal.Cannot("read", object, err)
	}
	carried, err := anchor.Carried(l)
	if !pinned && carried == nil && err == nil {
		out.Result(map[string]any{"cleared": false}, "%s has no root of trust", where(l))
		return nil
	}
	would := "give up the root of trust of " + where(l) + ": unsigned releases count from then on, too"
	if c.Bool("dry-run") {
		rehearse(out, would, map[string]any{"cleared": false})
		return nil
	}
	if err := out.Confirm(c.Context, c.Bool("yes"), "%s?", would); err != nil {
		return terminal.Cannot("give up", object, err)
	}
	if err := anchor.Clear(l); err != nil {
		return terminal.Cannot("give up", object, err)
	}
	out.Result(map[string]any{"cleared": true}, "%s has no root of trust any more; ssm-setup install --trust root.json pins one", where(l))
	return nil
}

func trustText(l installer.Layout, r trustResult) string {
	if !r.Trusted {
		return where(l) + " has no root of trust: unsigned releases are taken, too (ssm-setup install --trust root.json pins one)"
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "root\t%d, SHA-256 %s\n", r.Root, r.SHA256)
	for _, role := range r.Roles {
		fmt.Fprintf(w, "%s\tnumber %d, good until %s\n", role.Name, role.Version, role.Expires.Local().Format("2006-01-02 15:04"))
	}
	for _, line := range r.Warnings {
		fmt.Fprintf(w, "warning\t%s\n", line)
	}
	fmt.Fprintf(w, "kept in\t%s\n", r.Place)
	w.Flush()
	return strings.TrimRight(b.String(), "\n")
}
