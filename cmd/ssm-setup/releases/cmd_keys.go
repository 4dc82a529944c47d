package releases

import (
	"context"
	"crypto"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/keyring"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer/signed"
)

// KeyActions are what ssm-setup keys does, for completion.
func KeyActions() []string {
	return []string{"init", "show", "add", "remove", "rotate", "sign", "refresh"}
}

// Keys is the command keys.
func Keys() *cli.Command {
	return &cli.Command{
		Name:      "keys",
		Usage:     "make and exchange the keys that hosts with a root of trust rely on",
		ArgsUsage: "init | show | add ROLE | remove ROLE ID | rotate [ROLE [ID]] | sign FILE | refresh",
		Description: "The roles are root (which keys sign what: kept offline), targets (releases), snapshot and timestamp (online).\n" +
			"init makes keys and root.json, which hosts are given: build --trust, or install --trust. show lists who signs what, and by\n" +
			"when again. add, remove and rotate make the next root; where no machine has all the keys, keys sign adds signatures to\n" +
			"next.root.json, machine by machine. refresh, as a daily job, renews what a region has signed before it expires. A secret is a\n" +
			"file of its own, a variable (env:NAME) or stays in a device (command:CMD); see docs/trust.md.",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "keys", Value: "keys", Usage: "`DIR` of the keys"},
			&cli.StringFlag{Name: "key", Usage: "add this key instead of a new one: a `PLACE`, which is a file (a private key, or a public one that another\n" +
				"machine has), env:NAME, or command:CMD"},
			&cli.StringFlag{Name: "type", Value: signed.Ed25519, Usage: "of keys that are made: " + signed.Ed25519 + " or " + signed.ECDSA},
			&cli.IntFlag{Name: "root-keys", Value: 2, Usage: "how many root keys init makes"},
			&cli.IntFlag{Name: "threshold", DefaultText: "as it is, at first 1", Usage: "how many keys of the role must sign (init: of root)"},
			&cli.StringSliceFlag{Name: "days", Usage: "how long a role counts from its signing, as `ROLE=DAYS`; may be given several times\n(" +
				daysText() + ")"},
			&cli.BoolFlag{Name: "all", Usage: "refresh: sign everything, due or not"},
			&cli.BoolFlag{Name: "anew", Usage: "refresh: sign what the region's plain files say, though what is signed there cannot be verified"},
			yesFlag(),
		}, writeFlags()...),
		Action: keysAction,
	}
}

func daysText() string {
	var parts []string
	for _, role := range signed.Roles() {
		parts = append(parts, role+"="+strconv.Itoa(signed.DefaultDays().Of(role)))
	}
	return strings.Join(parts, ", ")
}

// keysAction finds the row of the first argument.
func keysAction(c *cli.Context) error {
	for _, a := range []struct {
		name        string
		least, most int // arguments after it
		do          func(*cli.Context, *signed.Folder, []string) error
	}{
		{"init", 0, 0, keysInit}, {"show", 0, 0, keysShow}, {"add", 1, 1, keysAdd}, {"remove", 2, 2, keysRemove},
		{"rotate", 0, 2, keysRotate}, {"sign", 1, 1, keysSign}, {"refresh", 0, 0, keysRefresh},
	} {
		if c.Args().First() != a.name {
			continue
		}
		rest := c.Args().Tail()
		if len(rest) < a.least || len(rest) > a.most {
			return terminal.Usage("keys %s does not take %d more arguments", a.name, len(rest))
		}
		f := keyring.Folder(c.String("keys"))
		f.Dry = c.Bool("dry-run")
		if a.name != "init" {
			if err := f.Open(); err != nil {
				return terminal.Cannot("open", "the keys in "+f.Dir, err)
			}
		}
		if err := setDays(c, f); err != nil {
			return err
		}
		return a.do(c, f, rest)
	}
	return terminal.Usage("keys needs one of %s", strings.Join(KeyActions(), ", "))
}

// daysOf reads --days.
func daysOf(c *cli.Context) (signed.Days, error) {
	days := signed.Days{}
	for _, text := range c.StringSlice("days") {
		role, number, _ := strings.Cut(text, "=")
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 || n > 3650 || !slices.Contains(signed.Roles(), role) {
			return nil, terminal.Usage("--days: %q is not ROLE=DAYS, with 1 to 3650 days", text)
		}
		days[role] = n
	}
	return days, nil
}

func setDays(c *cli.Context, f *signed.Folder) error {
	days, err := daysOf(c)
	for role, n := range days {
		f.SetDays(role, n)
	}
	return err
}

func keysInit(c *cli.Context, f *signed.Folder, _ []string) error {
	days, err := daysOf(c)
	if err != nil {
		return err
	}
	switch n, kind := c.Int("root-keys"), c.String("type"); {
	case n < 1 || n > 20:
		return terminal.Usage("--root-keys: %d is not between 1 and 20", n)
	case c.Int("threshold") < 0 || c.Int("threshold") > n:
		return terminal.Usage("--threshold: %d keys cannot sign where there are %d root keys", c.Int("threshold"), n)
	case kind != signed.Ed25519 && kind != signed.ECDSA:
		return terminal.Usage("--type: %q is neither %s nor %s", kind, signed.Ed25519, signed.ECDSA)
	}
	all := signed.DefaultDays()
	maps.Copy(all, days)
	root, err := firstRoot(c, f, all)
	if err == nil {
		err = f.Save()
	}
	if err != nil {
		return terminal.Cannot("make", "keys in "+f.Dir, err)
	}
	return signRoot(c, f, root, "made", "init")
}

// firstRoot makes keys and the root that names them.
func firstRoot(c *cli.Context, f *signed.Folder, days signed.Days) (*signed.RootFile, error) {
	if err := f.Init(days); err != nil {
		return nil, err
	}
	keys := map[string][]crypto.PublicKey{}
	for _, role := range signed.Roles() {
		n, place := 1, ""
		if role == signed.Root {
			n, place = c.Int("root-keys"), c.String("key")
		}
		for i := range n {
			if i > 0 {
				place = ""
			}
			public, err := newKey(c, f, role, place)
			if err != nil {
				return nil, err
			}
			keys[role] = append(keys[role], public)
		}
	}
	return signed.NewRoot(keys, map[string]int{signed.Root: max(c.Int("threshold"), 1)}, days.Until(signed.Root, time.Now()))
}

// newKey takes the key of a place, or makes one.
func newKey(c *cli.Context, f *signed.Folder, role, place string) (crypto.PublicKey, error) {
	if place != "" {
		return f.Know(c.Context, place)
	}
	sub := signed.OnlineAt
	if role == signed.Root {
		sub = signed.OfflineAt
	}
	return f.Make(c.String("type"), sub, role)
}

func keysAdd(c *cli.Context, f *signed.Folder, args []string) error {
	return changeRoot(c, f, "add", func(root *signed.RootFile) error {
		public, err := newKey(c, f, args[0], c.String("key"))
		if err != nil {
			return err
		}
		return root.Add(args[0], public)
	}, args[0])
}

func keysRemove(c *cli.Context, f *signed.Folder, args []string) error {
	return changeRoot(c, f, "remove", func(root *signed.RootFile) error {
		return root.Remove(args[0], fullID(root, args[0], args[1]))
	}, args[0])
}

// fullID is the id of a role's key by its beginning.
func fullID(root *signed.RootFile, role, id string) string {
	for _, full := range root.Role(role).Keys {
		if strings.HasPrefix(full, id) {
			return full
		}
	}
	return id
}

// keysRotate puts a new key in the place of one, or of all of a role; without a role the root alone is signed anew, for its next year.
func keysRotate(c *cli.Context, f *signed.Folder, args []string) error {
	role := signed.Root
	if len(args) > 0 {
		role = args[0]
	}
	return changeRoot(c, f, "rotate", func(root *signed.RootFile) error {
		if len(args) == 0 {
			return nil
		}
		old := root.Role(role).Keys
		if len(args) == 2 {
			old = []string{fullID(root, role, args[1])}
		}
		for _, id := range old {
			public, err := newKey(c, f, role, c.String("key"))
			if err == nil {
				err = root.Add(role, public)
			}
			if err == nil {
				err = root.Remove(role, id)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}, role)
}

// changeRoot makes the next root.
func changeRoot(c *cli.Context, f *signed.Folder, action string, change func(*signed.RootFile) error, role string) error {
	root, err := f.Begin(time.Now())
	if err == nil {
		err = change(root)
	}
	if n := c.Int("threshold"); err == nil && n != 0 {
		err = root.SetThreshold(role, n)
	}
	if err == nil {
		err = f.Save()
	}
	if err != nil {
		return terminal.Cannot("change", "the keys in "+f.Dir, err)
	}
	return signRoot(c, f, root, "changed", action)
}

// keysSign adds the signatures of this machine's keys to a root.
func keysSign(c *cli.Context, f *signed.Folder, args []string) error {
	b, err := os.ReadFile(args[0])
	var root *signed.RootFile
	if err == nil {
		root, err = signed.ParseRoot(b)
	}
	if err != nil {
		return terminal.Unreadable(args[0], err, "name a root: next.root.json of the folder where it was changed")
	}
	if next, err := f.Next(); err == nil && next != nil && next.Same(root) {
		root.Join(next)
	}
	if err := terminal.Of(c).Confirm(c.Context, c.Bool("yes"), "sign root %d, which %s?", root.Version(), rootText(root)); err != nil {
		return terminal.Cannot("sign", args[0], err)
	}
	if err := signRoot(c, f, root, "signed", "sign"); err != nil || f.Dry {
		return err
	}
	if b, err = root.Bytes(); err == nil {
		if _, gone := os.Stat(args[0]); gone == nil { // it became the newest where it lay in the folder itself
			err = os.WriteFile(args[0], b, 0o644)
		}
	}
	if err != nil {
		return terminal.Cannot("write", args[0], err)
	}
	return nil
}

// rootText is what a root says, in short.
func rootText(root *signed.RootFile) string {
	var parts []string
	for _, role := range signed.Roles() {
		r := root.Role(role)
		var ids []string
		for _, id := range r.Keys {
			ids = append(ids, signed.Short(id))
		}
		parts = append(parts, fmt.Sprintf("has %d of %s sign %s", r.Threshold, strings.Join(ids, ", "), role))
	}
	return strings.Join(parts, "; ") + "; and ends on " + root.Expires().Format(time.DateOnly)
}

// signRoot signs a root by the keys at hand, keeps it, and says whose signatures are missing.
func signRoot(c *cli.Context, f *signed.Folder, root *signed.RootFile, did, action string) error {
	roots, err := f.Roots()
	if err != nil {
		return terminal.Cannot("read", "the roots in "+f.Dir, err)
	}
	var before *signed.RootFile
	if len(roots) > 0 {
		before = roots[len(roots)-1]
	}
	whole, err := signBy(c.Context, f, root, before)
	if err != nil {
		return terminal.Cannot("sign", "root "+strconv.FormatInt(root.Version(), 10), err)
	}
	a, err := answerOf(f, root, before, action)
	if err != nil {
		return terminal.Cannot("read", "the keys in "+f.Dir, err)
	}
	a.Complete = whole
	terminal.Of(c).Result(a, "%s", a.text(did))
	return nil
}

func signBy(ctx context.Context, f *signed.Folder, root, before *signed.RootFile) (whole bool, err error) {
	for _, by := range []*signed.RootFile{before, root} {
		if by == nil {
			continue
		}
		ring, err := f.Ring(ctx, by, signed.Root)
		if err != nil {
			return false, err
		}
		for _, id := range slices.Sorted(maps.Keys(ring)) {
			if _, err := root.Sign(ctx, ring[id], before); err != nil {
				return false, err
			}
		}
	}
	return f.Put(root)
}
