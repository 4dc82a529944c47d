package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/installer/container/xar"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/sign"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Variables with passphrases. They are taken out of the environment when they were read: no child inherits them.
const (
	passphraseVariable    = "SSM_SIGN_PASSPHRASE"     //nolint:gosec // the name of a variable
	pgpPassphraseVariable = "SSM_SIGN_PGP_PASSPHRASE" //nolint:gosec // likewise
)

// pgpFlags name an OpenPGP key; keyFlags all keys of a build.
func pgpFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "sign-pgp-key", Usage: "OpenPGP key: `FILE`, or env:NAME for a variable with its text or base64; its passphrase comes from the\n" +
			"variable " + pgpPassphraseVariable + ", or " + passphraseVariable + "; a public key only, if --sign-command signs"},
		&cli.StringFlag{Name: "sign-command", Usage: "`CMD` signs where no private key is given (HSM, KMS): it is run as CMD openpgp|x509 rsa-sha256|ecdsa-sha256\n" +
			"DIGEST, with the digest's bytes on standard input, and prints the signature as base64"},
	}
}

func keyFlags() []cli.Flag {
	return append(pgpFlags(),
		&cli.StringFlag{Name: "sign-cert", Usage: "certificates for exe, msi and pkg: PEM or DER, or PKCS #12 with the key; `FILE` or env:NAME"},
		&cli.StringFlag{Name: "sign-key", Usage: "private key of the certificate, PKCS #8; `FILE` or env:NAME; its passphrase, or that of PKCS #12, comes from\n" +
			"the variable " + passphraseVariable},
		&cli.StringFlag{Name: "sign-pkg-cert", Usage: "certificates for pkg, if they are others (Developer ID Installer); `FILE` or env:NAME"},
		&cli.StringFlag{Name: "sign-pkg-key", Usage: "private key of those; `FILE` or env:NAME"},
		&cli.StringFlag{Name: "timestamp-url", Usage: "time-stamp server (RFC 3161) for exe, msi and pkg"},
	)
}

// openKeys reads the keys that flags name and checks them; nil where none is named.
func openKeys(c *cli.Context, epoch time.Time) (*sign.Signer, error) {
	o := sign.Options{Command: commandOf(c.String("sign-command")), TimestampURL: c.String("timestamp-url"), Time: epoch, Now: time.Now(),
		Passphrase: taken(passphraseVariable), PGPPassphrase: taken(pgpPassphraseVariable)}
	named := 0
	for _, f := range []struct {
		flag string
		to   *[]byte
	}{{"sign-pgp-key", &o.PGPKey}, {"sign-cert", &o.Cert}, {"sign-key", &o.Key}, {"sign-pkg-cert", &o.PkgCert}, {"sign-pkg-key", &o.PkgKey}} {
		value := c.String(f.flag)
		if value == "" {
			continue
		}
		named++
		var err error
		if *f.to, err = secret(value); err != nil {
			return nil, unreadable("--"+f.flag, err, "name a file that can be read, or env:NAME for a variable with the key's text or base64")
		}
	}
	if named == 0 {
		if len(o.Command) > 0 || o.TimestampURL != "" {
			return nil, usage("--sign-command and --timestamp-url need --sign-cert or --sign-pgp-key")
		}
		return nil, nil
	}
	if u, err := url.Parse(o.TimestampURL); o.TimestampURL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return nil, usage("--timestamp-url must be an http or https address")
	}
	s, err := sign.Open(o)
	if err != nil {
		return nil, cannot("sign", "with these keys", err)
	}
	return s, nil
}

// commandOf takes a command line apart; one that is a file's name as it stands may have blanks in it.
func commandOf(text string) sign.Command {
	if info, err := os.Stat(text); err == nil && info.Mode().IsRegular() {
		return sign.Command{text}
	}
	return strings.Fields(text)
}

// unreadable is the problem of a file that a flag names.
func unreadable(object string, err error, hint string) *problem {
	p := cannot("read", object, err).withHint(hint).withKind(fault.Usage)
	if errors.Is(err, fs.ErrPermission) {
		p.kind = fault.Permission
	}
	return p
}

// taken reads a variable and removes it from the environment.
func taken(name string) string {
	defer os.Unsetenv(name)
	return os.Getenv(name)
}

// secret reads a file, or with env:NAME a variable: text, or base64 of bytes.
func secret(value string) ([]byte, error) {
	name, ok := strings.CutPrefix(value, "env:")
	if !ok {
		return os.ReadFile(value)
	}
	text := taken(name)
	if text == "" {
		return nil, fmt.Errorf("the variable %s is empty", name)
	}
	if b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), "")); err == nil {
		return b, nil
	}
	return []byte(text), nil
}

// signingOf is a signer as packages want it.
func signingOf(ctx context.Context, s *sign.Signer) (how pack.Signing) {
	if s == nil {
		return how
	}
	if s.OpenPGP() {
		how.OpenPGP = s.Detach
	}
	if s.Windows() {
		how.Authenticode = func(path string) error { return s.Authenticode(ctx, path) }
	}
	if s.Pkg() {
		how.Xar = func() ([]xar.Signature, error) { return s.Xar(ctx) }
	}
	return how
}
