package releases

import (
	"errors"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/keyring"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer/sign"
)

// pgpFlags name an OpenPGP key; keyFlags all keys of a build.
func pgpFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "sign-pgp-key", Usage: "OpenPGP key: `FILE`, or env:NAME for a variable with its text or base64; its passphrase comes from the\n" +
			"variable " + keyring.PGPPassphrase + ", or " + keyring.Passphrase + "; a public key only, if --sign-command signs"},
		&cli.StringFlag{Name: keyring.NextFlag, Usage: "second OpenPGP key while one takes the place of the other: the indexes of apt and yum are signed by both, and\n" +
			"the key file holds both; its passphrase comes from the variable " + keyring.NextPassphrase},
		&cli.StringFlag{Name: "sign-command", Usage: "`CMD` signs where no private key is given (HSM, KMS): it is run as CMD openpgp|x509 rsa-sha256|ecdsa-sha256\n" +
			"DIGEST, with the digest's bytes on standard input, and prints the signature as base64"},
	}
}

func keyFlags() []cli.Flag {
	return append(pgpFlags(),
		&cli.StringFlag{Name: "sign-cert", Usage: "certificates for exe, msi and pkg: PEM or DER, or PKCS #12 with the key; `FILE` or env:NAME"},
		&cli.StringFlag{Name: "sign-key", Usage: "private key of the certificate, PKCS #8; `FILE` or env:NAME; its passphrase, or that of PKCS #12, comes from\n" +
			"the variable " + keyring.Passphrase},
		&cli.StringFlag{Name: "sign-pkg-cert", Usage: "certificates for pkg, if they are others (Developer ID Installer); `FILE` or env:NAME"},
		&cli.StringFlag{Name: "sign-pkg-key", Usage: "private key of those; `FILE` or env:NAME"},
		&cli.StringFlag{Name: "timestamp-url", Usage: "time-stamp server (RFC 3161) for exe, msi and pkg"},
	)
}

// openKeys reads the keys that flags name and checks them; nil where none is named.
func openKeys(c *cli.Context, epoch time.Time) (*sign.Signer, error) {
	s, err := keyring.Open(c.String, epoch)
	if err != nil {
		return nil, unfitKeys(err)
	}
	for _, text := range s.Warnings() {
		terminal.Of(c).Step("warning: %s", text)
	}
	return s, nil
}

// unfitKeys is the problem of what flags about keys name.
func unfitKeys(err error) error {
	var unread *keyring.Unread
	switch {
	case errors.As(err, &unread):
		return terminal.Unreadable(unread.Flag, err, "name a file that can be read, or env:NAME for a variable with the key's text or base64")
	case errors.Is(err, keyring.ErrFlags):
		return terminal.Usage("%v", err)
	}
	return terminal.Cannot("sign", "with these keys", err)
}
