package flags

import (
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
)

// Insecure is --allow-insecure.
func Insecure() cli.Flag {
	return &cli.BoolFlag{Name: "allow-insecure", Usage: "accept a --source or --endpoint that is plain http to another machine"}
}

// CheckRegion refuses malformed names always, unknown ones unless they are vouched for: by an address that is given, or by the flag.
func CheckRegion(name string, vouched, allowUnknown bool) error {
	err := regions.Resolve(name)
	var unknown *regions.UnknownError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &unknown) && (vouched || allowUnknown):
		return nil
	case errors.As(err, &unknown):
		return terminal.Cannot("use", "region "+name, fmt.Errorf("it is not in the table; nearest: %s", strings.Join(unknown.Nearest, ", "))).
			WithKind(fault.Usage).WithHint("if the region is new, add --allow-unknown-region; a local region of another account or machine is " +
			"named by --endpoint")
	}
	return terminal.Cannot("use", "that region", err).WithKind(fault.Usage).WithHint("a region is named like eu-west-1")
}
