package releases

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/flags"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/installer/publish/signing"
	"github.com/ssm-setup/ssm-setup/installer/signed"
)

// keysAnswer is what keys init, show, add, remove, rotate and sign say.
type keysAnswer struct {
	Action   string        `json:"action"`
	Folder   string        `json:"folder"`
	Root     int64         `json:"root"`     // the number of the root
	File     string        `json:"file"`     // where it lies
	Complete bool          `json:"complete"` // it is signed to its end
	Missing  []wantingKeys `json:"missing"`
	Roles    []roleOfKeys  `json:"roles"`
	Locked   bool          `json:"locked"` // secrets made here have a passphrase
	DryRun   bool          `json:"dry_run"`
}

type wantingKeys struct {
	Root int64    `json:"root"` // whose keys are meant: this root's, or those of the one before
	More int      `json:"more"`
	Of   []string `json:"of"`
}

type roleOfKeys struct {
	Role      string     `json:"role"`
	Threshold int        `json:"threshold"`
	Days      int        `json:"days"`
	Keys      []shownKey `json:"keys"`
	Version   int64      `json:"version,omitempty"`
	Expires   string     `json:"expires,omitempty"` // RFC 3339
	Due       string     `json:"due,omitempty"`     // to be signed again by then
}

type shownKey struct {
	ID    string `json:"id"`
	Place string `json:"place,omitempty"`
	Here  bool   `json:"here"`
}

// rootMargin is how long before a root's end it is due: people and safes take time.
const rootMargin = 90 * 24 * time.Hour

func answerOf(f *signed.Folder, root, before *signed.RootFile, action string) (a keysAnswer, err error) {
	a = keysAnswer{Action: action, Folder: f.Dir, Root: root.Version(), File: f.RootPath(), Locked: f.Locked(), DryRun: f.Dry,
		Missing: []wantingKeys{}}
	missing, err := root.Missing(before)
	if err != nil {
		return a, err
	}
	for _, w := range missing {
		a.Missing = append(a.Missing, wantingKeys(w))
	}
	if a.Complete = len(missing) == 0; !a.Complete {
		a.File = f.NextPath()
	}
	for _, name := range signed.Roles() {
		of := root.Role(name)
		r := roleOfKeys{Role: name, Threshold: of.Threshold, Days: f.Days().Of(name), Keys: []shownKey{}}
		for _, id := range of.Keys {
			e, _ := f.Entry(id)
			r.Keys = append(r.Keys, shownKey{id, e.Place, f.Here(id)})
		}
		if name == signed.Root {
			r.life(signed.Life{Role: name, Version: root.Version(), Expires: root.Expires()}, root.Expires().Add(-rootMargin))
		}
		a.Roles = append(a.Roles, r)
	}
	return a, nil
}

func (r *roleOfKeys) life(l signed.Life, due time.Time) {
	r.Version, r.Expires, r.Due = l.Version, l.Expires.UTC().Format(time.RFC3339), due.UTC().Format(time.RFC3339)
}

func (a keysAnswer) text(did string) string {
	var b strings.Builder
	switch {
	case a.DryRun:
		fmt.Fprintf(&b, "root %d would be %s; nothing was written (--dry-run)", a.Root, did)
	case a.Complete && did == "":
		fmt.Fprintf(&b, "root %d in %s", a.Root, a.File)
	case a.Complete:
		fmt.Fprintf(&b, "%s root %d: %s", did, a.Root, a.File)
	default:
		fmt.Fprintf(&b, "root %d is on its way: %s", a.Root, a.File)
	}
	for _, w := range a.Missing {
		fmt.Fprintf(&b, "\nit wants %d more of the keys of root %d: %s; on a machine with one: ssm-setup keys sign %s", w.More, w.Root,
			shortly(w.Of), a.File)
	}
	b.WriteString("\n\n" + a.table())
	if a.Action == "init" && !a.DryRun {
		fmt.Fprintf(&b, "\n\noffline: %[1]s/%[2]s has the root keys. Carry each to a place of its own (two sticks, two safes), and delete it here;\n"+
			"they are needed once a year, and to exchange keys. Without them no key can ever be exchanged.\n"+
			"online: %[1]s/%[3]s has the keys of releases (targets) and of the daily job (snapshot, timestamp).\n"+
			"public: %[4]s is for hosts: ssm-setup build --trust %[4]s, or install --trust", a.Folder, signed.OfflineAt, signed.OnlineAt, a.File)
		if !a.Locked {
			b.WriteString("\nthe secrets have no passphrase: set the variable " + signed.Passphrase + " when they are made")
		}
	}
	if a.Complete && a.Action != "init" && a.Action != "show" && !a.DryRun {
		b.WriteString("\n\nregions learn of it by: ssm-setup keys refresh, or the next publish --keys")
	}
	return b.String()
}

// table is who signs what, and by when.
func (a keysAnswer) table() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	io.WriteString(w, "role\tmust sign\tkey\tsecret\tends\tsign again by\n")
	for _, r := range a.Roles {
		ends, due := fmt.Sprintf("%d days after it is signed", r.Days), ""
		if r.Expires != "" {
			ends, due = r.Expires[:len(time.DateOnly)], r.Due[:len(time.DateOnly)]
		}
		for i, k := range r.Keys {
			place := k.Place
			switch {
			case place == "":
				place = "on another machine"
			case !k.Here:
				place += " (not here)"
			}
			if i > 0 {
				fmt.Fprintf(w, "\t\t%s\t%s\t\t\n", signed.Short(k.ID), place)
				continue
			}
			fmt.Fprintf(w, "%s\t%d of %d\t%s\t%s\t%s\t%s\n", r.Role, r.Threshold, len(r.Keys), signed.Short(k.ID), place, ends, due)
		}
	}
	w.Flush()
	return strings.TrimRight(b.String(), "\n")
}

// keysShow lists roles, of the folder and where --source or --to names one of a region.
func keysShow(c *cli.Context, f *signed.Folder, _ []string) error {
	roots, err := f.Roots()
	if err != nil {
		return terminal.Cannot("read", "the roots in "+f.Dir, err)
	}
	root, err := f.Next()
	if err != nil {
		return terminal.Cannot("read", f.NextPath(), err)
	}
	var before *signed.RootFile
	if n := len(roots); root != nil && n > 0 {
		before = roots[n-1]
	} else if n > 0 {
		root = roots[n-1]
		if n > 1 {
			before = roots[n-2]
		}
	}
	if root == nil {
		return terminal.Cannot("show", "the keys in "+f.Dir, signed.ErrFolder)
	}
	a, err := answerOf(f, root, before, "show")
	if err == nil && (c.String("source") != "" || c.String("to") != "") {
		err = a.ofRegion(c, f, roots)
	}
	if err != nil {
		return terminal.Cannot("show", "the keys in "+f.Dir, err)
	}
	terminal.Of(c).Result(a, "%s", a.text(""))
	return nil
}

// ofRegion adds until when a region's signatures count.
func (a *keysAnswer) ofRegion(c *cli.Context, f *signed.Folder, roots []*signed.RootFile) error {
	p, err := flags.PlaceOf(c, flags.Needs{Folder: c.String("to") != ""})
	if err != nil {
		return err
	}
	place, err := placeToWrite(c, p)
	if err != nil {
		return err
	}
	to, _, err := publishTarget(c, p, place)
	if err != nil {
		return err
	}
	lives, err := signing.Lives(c.Context, to, &signing.Keys{Roots: roots, Ring: signed.Ring{}, Days: f.Days()})
	if err != nil {
		return err
	}
	for _, l := range lives {
		for i := range a.Roles {
			if a.Roles[i].Role == l.Role {
				a.Roles[i].life(l, l.Due(f.Days().Of(l.Role)))
			}
		}
	}
	return nil
}

// keysRefresh renews what a region signed.
func keysRefresh(c *cli.Context, _ *signed.Folder, _ []string) error {
	to, o, _, done, err := openRegion(c)
	if err != nil {
		return err
	}
	defer done()
	if c.Bool("anew") && !o.DryRun {
		err := terminal.Of(c).Confirm(c.Context, c.Bool("yes"), "sign what the plain files of %s say, unverified?", to)
		if err != nil {
			return terminal.Cannot("sign", to.String(), err)
		}
	}
	o.Repositories, o.Trust.Anew = false, c.Bool("anew")
	res, err := publish.Refresh(c.Context, to, c.Bool("all"), o)
	if err != nil {
		return terminal.Cannot("sign", to.String(), err)
	}
	text := to.String() + ": nothing is due"
	switch {
	case res.DryRun:
		text = to.String() + ": the keys are at hand; nothing was written (--dry-run)"
	case res.Trust != nil && len(res.Trust.Keys) > 0:
		text = fmt.Sprintf("%s: signed by root %d: %s", to, res.Trust.Root, strings.Join(res.Trust.Keys, ", "))
	}
	terminal.Of(c).Result(publishAnswer{res, o.Region, to.String()}, "%s", text)
	return nil
}

func shortly(ids []string) string {
	var short []string
	for _, id := range ids {
		short = append(short, signed.Short(id))
	}
	return strings.Join(short, ", ")
}
