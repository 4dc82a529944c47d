package machine

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/flags"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/caller"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Config is the command config.
func Config() *cli.Command {
	return &cli.Command{
		Name:  "config",
		Usage: "show the region and source in use here, and where each comes from",
		Description: "In order: the flag, the environment (AWS_REGION, AWS_DEFAULT_REGION, SSM_SETUP_SOURCE), the system's file of settings,\n" +
			"the account's own. A file is a JSON object with \"source\" and \"region\". As root a file counts only if it and its folders\n" +
			"are root's. Example: ssm-setup config --region eu-west-1",
		Flags:  []cli.Flag{flags.Region("region to ask about"), flags.Source(), flags.Endpoint("the region's services"), flags.Unknown()},
		Action: showConfig,
	}
}

// setting is one row: what counts, and what says so.
type setting struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Origin string `json:"origin"`
}

// settingsFile is a file of settings, which is there or not.
type settingsFile struct {
	Path  string `json:"path"`
	There bool   `json:"there"`
}

func showConfig(c *cli.Context) error {
	who := caller.Here()
	p, err := flags.PlaceOf(c, flags.Needs{Folder: true, Installed: func() string { return installedRegion(installer.At("")) }})
	if errors.Is(err, caller.ErrNoRegion) {
		var chosen caller.Value
		if p.Source, chosen, err = who.Source(c.String("source"), false); err != nil {
			err = terminal.Cannot("use", "the source of packages", err)
		}
		p.SourceOrigin = chosen.Origin
	}
	if err != nil {
		return err
	}
	rows := []setting{{"region", p.Region, p.RegionOrigin}, {"source", fault.Redact(p.Source.String()), p.SourceOrigin},
		{"endpoint", fault.Redact(p.Endpoint), p.EndpointOrigin}}
	if p.Region != "" {
		base, err := p.Base()
		if err != nil {
			return terminal.Cannot("use", "the source of packages", err)
		}
		rows = append(rows, setting{"packages", fault.Redact(base), "source and region"})
	}
	for n := range rows {
		if rows[n].Origin == "" {
			rows[n].Origin = "default"
		}
	}
	var files []settingsFile
	for _, path := range who.Files() {
		_, err := os.Stat(path)
		files = append(files, settingsFile{path, err == nil})
	}
	terminal.Of(c).Result(map[string]any{"values": rows, "files": files}, "%s", configText(rows, files))
	return nil
}

func configText(rows []setting, files []settingsFile) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	defaults := map[string]string{"region": "none", "source": "Amazon's own bucket of the region", "endpoint": "AWS's own"}
	for _, r := range rows {
		value := r.Value
		if value == "" {
			value = defaults[r.Name]
		}
		fmt.Fprintf(w, "%s\t%s\t(%s)\n", r.Name, value, r.Origin)
	}
	for _, f := range files {
		there := "not there"
		if f.There {
			there = "read"
		}
		fmt.Fprintf(w, "file\t%s\t(%s)\n", f.Path, there)
	}
	w.Flush()
	return strings.TrimRight(b.String(), "\n")
}
