package releases

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// Promote is the command promote.
func Promote() *cli.Command {
	return &cli.Command{
		Name:  "promote",
		Usage: "make a published version the region's stable one",
		Description: "Writes apt's suite and yum's folder stable, then stable/VERSION, if the region lists the version as active and serves\n" +
			"every file of it. Until the first promote, stable follows latest.",
		Flags: append(append([]cli.Flag{&cli.StringFlag{Name: "version", Usage: "version to promote", Required: true}}, writeFlags()...),
			repositoryFlags()...),
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

// Mark is the command mark.
func Mark() *cli.Command {
	return &cli.Command{
		Name:  "mark",
		Usage: "change a published version's status: Active, Deprecated, Inactive",
		Description: "Agents update away from a deprecated version and never to an inactive one; apt and yum see active versions only.\n" +
			"latest/VERSION and stable/VERSION stay as they are.",
		Flags: append(append([]cli.Flag{
			&cli.StringFlag{Name: "version", Usage: "version to mark", Required: true},
			&cli.StringFlag{Name: "status", Usage: "Active, Deprecated or Inactive", Required: true},
			yesFlag(),
		}, writeFlags()...), repositoryFlags()...),
		Action: mark,
	}
}

func mark(c *cli.Context) error {
	out := terminal.Of(c)
	version, err := wantedVersion(c)
	if err != nil {
		return err
	}
	status, err := statusWord(c.String("status"))
	if err != nil {
		return err
	}
	to, o, _, done, err := openRegion(c)
	if err != nil {
		return err
	}
	defer done()
	if status == manifests.Inactive && !o.DryRun {
		if err := out.Confirm(c.Context, c.Bool("yes"), "take %s away from every host of region %s?", version, o.Region); err != nil {
			return terminal.Cannot("mark", fmt.Sprintf("%s in %s", version, to), err)
		}
	}
	res, err := publish.Mark(c.Context, to, version, status, o)
	if err != nil {
		return terminal.Cannot("mark", fmt.Sprintf("%s in %s", version, to), err)
	}
	text := fmt.Sprintf("%s is %s in region %s", version, status, o.Region)
	if status != manifests.Active {
		text += publish.Withdrawn(res)
	}
	if res.DryRun {
		text = plan(res.Steps)
	}
	out.Result(publishAnswer{res, o.Region, to.String()}, "%s", text)
	return nil
}

func statusWord(text string) (string, error) {
	for _, word := range []string{manifests.Active, manifests.Deprecated, manifests.Inactive} {
		if strings.EqualFold(text, word) {
			return word, nil
		}
	}
	return "", terminal.Usage("--status: %q is not Active, Deprecated or Inactive", text)
}
