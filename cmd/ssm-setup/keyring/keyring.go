// Package keyring finds the keys that the flags of ssm-setup name: a file, or a variable of the environment. It is the part of build,
// publish, promote, mark and mirror that reads secrets; installer/sign checks them and signs.
//
// What must always be true: a variable with a key or a passphrase is taken out of the environment when it was read, so that no child
// inherits it.
package keyring

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/container/xar"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/sign"
)

// Variables with passphrases.
const (
	Passphrase     = "SSM_SIGN_PASSPHRASE"          //nolint:gosec // the name of a variable
	PGPPassphrase  = "SSM_SIGN_PGP_PASSPHRASE"      //nolint:gosec // likewise
	NextPassphrase = "SSM_SIGN_PGP_NEXT_PASSPHRASE" //nolint:gosec // likewise
)

// NextFlag names the second OpenPGP key.
const NextFlag = "sign-pgp-key-next"

// ErrFlags says that flags do not fit together.
var ErrFlags = errors.New("the flags for keys do not fit together")

// Unread is a flag whose file or variable cannot be read.
type Unread struct {
	Flag  string // with its two hyphens
	cause error
}

func (u *Unread) Error() string { return u.cause.Error() }

func (u *Unread) Unwrap() error { return u.cause }

// Open reads the keys that flags name and checks them; nil where none is named. value is what stands behind a flag, epoch the time of
// OpenPGP signatures. Errors: ErrFlags, *Unread, those of [sign.Open].
func Open(value func(flag string) string, epoch time.Time) (*sign.Signer, error) {
	o := sign.Options{Command: Command(value("sign-command")), TimestampURL: value("timestamp-url"), Time: epoch, Now: time.Now(),
		Passphrase: taken(Passphrase), PGPPassphrase: taken(PGPPassphrase), PGPNextPassphrase: taken(NextPassphrase)}
	named := 0
	for _, f := range []struct {
		flag string
		to   *[]byte
	}{{"sign-pgp-key", &o.PGPKey}, {NextFlag, &o.PGPNext}, {"sign-cert", &o.Cert}, {"sign-key", &o.Key}, {"sign-pkg-cert", &o.PkgCert},
		{"sign-pkg-key", &o.PkgKey}} {
		place := value(f.flag)
		if place == "" {
			continue
		}
		named++
		var err error
		if *f.to, err = secret(place); err != nil {
			return nil, &Unread{"--" + f.flag, err}
		}
	}
	if named == 0 {
		if len(o.Command) > 0 || o.TimestampURL != "" {
			return nil, fmt.Errorf("%w: --sign-command and --timestamp-url need --sign-cert or --sign-pgp-key", ErrFlags)
		}
		return nil, nil
	}
	if len(o.PGPNext) > 0 && len(o.PGPKey) == 0 {
		return nil, fmt.Errorf("%w: --%s needs --sign-pgp-key", ErrFlags, NextFlag)
	}
	if u, err := url.Parse(o.TimestampURL); o.TimestampURL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("%w: --timestamp-url must be an http or https address", ErrFlags)
	}
	return sign.Open(o)
}

// Command takes a command line apart; one that is a file's name as it stands may have blanks in it.
func Command(text string) sign.Command {
	if info, err := os.Stat(text); err == nil && info.Mode().IsRegular() {
		return sign.Command{text}
	}
	return strings.Fields(text)
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

// Signing is a signer as packages want it.
func Signing(ctx context.Context, s *sign.Signer) (how pack.Signing) {
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
