package releases

import (
	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/keyring"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/installer/signed"
)

// trustFlag names the keys by which a region signs for hosts with a root of trust.
func trustFlag() cli.Flag {
	return &cli.StringFlag{Name: "keys", Usage: "`DIR` of the keys that sign the region for hosts with a root of trust (ssm-setup keys init); a passphrase\n" +
		"comes from the variable " + signed.Passphrase}
}

// signingFlags are for subcommands that change what a region signs.
func signingFlags() []cli.Flag { return append(repositoryFlags(), trustFlag()) }

// trustOptions reads --keys, before anything is written.
func trustOptions(c *cli.Context, o *publish.Options) error {
	dir := c.String("keys")
	if dir == "" {
		return nil
	}
	k, err := keyring.Region(c.Context, keyring.Folder(dir))
	if err != nil {
		return terminal.Cannot("sign", "with the keys in "+dir, err)
	}
	o.Trust = k
	return nil
}
