package releases

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/sign"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Verify is the command verify.
func Verify() *cli.Command {
	return &cli.Command{
		Name:      "verify",
		Usage:     "show who signed packages, and whether they were changed since",
		ArgsUsage: "FILE…",
		Description: "Reads deb, rpm, exe, msi, pkg, FILE.sig and SHA256SUMS. With --key or --ca every file has to be signed: by such a key,\n" +
			"or under such a certificate, without --ca one of this system's; exit code 4 says that one is not. Without both it shows\n" +
			"who claims to have signed. Notarisation by Apple is not looked at.",
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "key", Usage: "OpenPGP public key, armored or not: for deb, rpm, .sig and SHA256SUMS"},
			&cli.StringSliceFlag{Name: "ca", Usage: "certificate of an authority, PEM or DER: for exe, msi and pkg, also of time-stamp servers; default: this system's"},
			&cli.BoolFlag{Name: "require", Usage: "exit code 4 for a file that is not signed, or whose signer --key, --ca or this system do not know"},
		},
		Action: verify,
	}
}

type verifyResult struct {
	Files []verified `json:"files"`
}

type verified struct {
	sign.Report
	Error string `json:"error,omitempty"`
}

func verify(c *cli.Context) error {
	out := terminal.Of(c)
	if !c.Args().Present() {
		return terminal.Usage("name the files to verify")
	}
	trusted := sign.Trusted{Now: time.Now()}
	for flag, add := range map[string]func([]byte) error{"key": trusted.ReadKeys, "ca": trusted.ReadRoots} {
		for _, path := range c.StringSlice(flag) {
			b, err := os.ReadFile(path)
			if err != nil {
				return terminal.Unreadable("--"+flag+" "+path, err, "name a file that can be read")
			}
			if err := add(b); err != nil {
				return terminal.Cannot("read", "--"+flag+" "+path, err)
			}
		}
	}
	var res verifyResult
	var first error
	for _, path := range c.Args().Slice() {
		r, err := pack.Verify(path, trusted)
		one := verified{Report: r}
		if err == nil && c.Bool("require") {
			err = required(r)
		}
		if err != nil {
			one.Error = err.Error()
			if first == nil {
				first = unverified(path, err)
			}
		}
		res.Files = append(res.Files, one)
	}
	out.Result(res, "%s", verifyText(res))
	return first
}

// required refuses a file that is not signed, and one of whose signers is not known.
func required(r sign.Report) error {
	if len(r.Signatures) == 0 {
		return fault.New(fault.Verify, "it is not signed (--require)", "name a file that is signed, or FILE.sig beside it")
	}
	for _, s := range r.Signatures {
		if s.Trust != sign.ByKey && s.Trust != sign.ByCA && s.Trust != sign.BySystem {
			return fault.New(fault.Verify, "who signed it is not known (--require)", "name the signer's --key, or the --ca of its certificate")
		}
	}
	return nil
}

// unverified is the problem of one file: an expired key is a matter of the signature here.
func unverified(path string, err error) *terminal.Problem {
	p := terminal.Cannot("verify", path, err)
	if lost := (*fs.PathError)(nil); errors.As(err, &lost) {
		return terminal.Unreadable(path, err, "name files that can be read; FILE.sig needs FILE beside it")
	}
	if errors.Is(err, sign.ErrExpired) {
		return p.WithKind(fault.Verify).WithHint("ask its maker for one that is signed with a key valid now, or with a timestamp")
	}
	return p
}

// trustWords say what each degree of trust means.
var trustWords = map[sign.Trust]string{
	sign.ByKey:      "made by a key that was named",
	sign.ByCA:       "trusted: its chain leads to a certificate that was named",
	sign.BySystem:   "trusted: its chain leads to a root of this system",
	sign.Integrity:  "integrity only: it fits the file; who made it is not known here",
	sign.NotChecked: "not checked: it needs --key",
}

func verifyText(res verifyResult) string {
	var b strings.Builder
	for _, f := range res.Files {
		fmt.Fprintf(&b, "%s (%s)\n", f.File, f.Kind)
		for _, s := range f.Signatures {
			by := "signed by"
			if s.Trust == sign.NotChecked {
				by = "a signature that says it is by"
			}
			fmt.Fprintf(&b, "  %s of %s: %s %s\n", s.Kind, s.Of, by, s.By)
			if s.Issuer != "" {
				fmt.Fprintf(&b, "    certificate of %s, SHA-256 %s\n", s.Issuer, s.Key)
			} else {
				fmt.Fprintf(&b, "    key %s, at %s\n", s.Key, s.Made.Format(time.RFC3339))
			}
			if !s.Stamped.IsZero() {
				fmt.Fprintf(&b, "    timestamp %s by %s\n", s.Stamped.Format(time.RFC3339), s.StampedBy)
			}
			words := trustWords[s.Trust]
			if f.Error != "" {
				words = strings.TrimPrefix(string(s.Trust), "not checked")
			}
			if words != "" {
				fmt.Fprintf(&b, "    %s\n", words)
			}
			if s.Note != "" {
				fmt.Fprintf(&b, "    (%s)\n", s.Note)
			}
		}
		if len(f.Signatures) == 0 {
			b.WriteString("  not signed\n")
		}
		if f.Note != "" {
			fmt.Fprintf(&b, "  %s\n", f.Note)
		}
		if f.Error != "" {
			fmt.Fprintf(&b, "  NOT VERIFIED: %s\n", f.Error)
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}
