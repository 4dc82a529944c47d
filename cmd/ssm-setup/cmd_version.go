package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
)

// commit is the commit of the source that the linker sets, where it is known: ssm-setup build, make.
var commit string

func versionCommand() *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "show the version, commit, Go release and platform of this program",
		Description: "This is the version of ssm-setup itself. ssm-setup status shows those of the agent on this machine: the version that " +
			"runs, and the package version. A release that ssm-setup build makes has the commit of its source where all that was compiled is in\n" +
			"it; where there is no repository, the one that SOURCE_COMMIT names.",
		Action: func(c *cli.Context) error {
			v := ownVersion()
			text := fmt.Sprintf("ssm-setup %s\ncommit    %s\ngo        %s\nplatform  %s", v.Version, terminal.Dash(v.Commit), v.Go, v.Platform)
			terminal.Of(c).Result(v, "%s", text)
			return nil
		},
	}
}

type versionResult struct {
	Version  string `json:"version"`
	Commit   string `json:"commit"` // of the source; empty: not known
	Go       string `json:"go"`
	Platform string `json:"platform"` // such as linux/amd64
}

func ownVersion() versionResult {
	v := versionResult{stamp.Version(), commit, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok && v.Commit == "" {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				v.Commit = s.Value
			}
		}
	}
	return v
}
