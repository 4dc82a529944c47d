package releases

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer/publish"
)

// Promote is the command promote.
func Promote() *cli.Command {
	return &cli.Command{
		Name:  "promote",
		Usage: "make a published version the region's stable one",
		Description: "Writes apt's suite and yum's folder stable, then stable/VERSION, if the region lists the version as active and serves\n" +
			"every file of it. Until the first promote, stable follows latest.",
		Flags: append(append([]cli.Flag{&cli.StringFlag{Name: "version", Usage: "version to promote", Required: true}}, writeFlags()...),
			signingFlags()...),
		Action: promote,
	}
}

func promote(c *cli.Context) error {
	out := terminal.Of(c)
	version, err := wantedVersion(c)
	if err != nil {
		return err
	}
	to, o, _, done, err := openRegion(c)
	if err != nil {
		return err
	}
	defer done()
	res, err := publish.Promote(c.Context, to, version, o)
	if err != nil {
		return terminal.Cannot("promote", fmt.Sprintf("%s in %s", version, to), err)
	}
	text := fmt.Sprintf("%s is the stable version of region %s", version, o.Region)
	if !res.Before.IsZero() && res.Before != version {
		text += fmt.Sprintf(" (before: %s)", res.Before)
	}
	if res.DryRun {
		text = plan(res.Steps)
	}
	out.Result(publishAnswer{res, o.Region, to.String()}, "%s", text)
	return nil
}
