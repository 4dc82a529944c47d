package plugins

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/output"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// updateInputs are the inputs of aws:updateSsmAgent, all text (docs/protocol/update.md, "Plugin inputs").
type updateInputs struct {
	AgentName      string `json:"agentName"`
	AllowDowngrade string `json:"allowDowngrade"`
	TargetVersion  string `json:"targetVersion"`
	Source         string `json:"source"`
}

// Update is what a document asks of the updater. Whether the version is wanted, known or older is decided there, not here.
type Update struct {
	Root           string // installation root, "" the system
	Package        string // as the document names it; empty: amazon-ssm-agent
	Version        string // latest, a version, a constraint; empty: latest
	AllowDowngrade bool
	Source         string // manifest URL, {Region} allowed; may be empty

	// The updater answers the command itself; these say where and as what.
	MessageID  string
	Lane       string    // the command came by
	StepID     string    // key of the step in the answer
	PluginName string    // empty in documents 1.x, which are answered under it as the key
	Started    time.Time // of the step
	Output     output.Location
}

// updateSsmAgent hands an update to an updater of the running version and ends its step InProgress: the updater sends the answer
// (docs/protocol/update.md, "Plugin sequence").
func updateSsmAgent(start func(Update, *slog.Logger) error) func(context.Context, Call) Exit {
	return func(_ context.Context, c Call) Exit {
		var in updateInputs
		if err := c.unmarshal(&in); err != nil {
			fmt.Fprintf(c.Stderr, "invalid format in plugin properties %v;\nerror %v", c.Inputs, err)
			return failed()
		}
		allow, err := strconv.ParseBool(in.AllowDowngrade)
		if err != nil {
			fmt.Fprint(c.Stderr, err.Error())
			return failed()
		}
		u := Update{Root: c.Machine.Root, Package: in.AgentName, Version: in.TargetVersion, AllowDowngrade: allow, Source: in.Source,
			MessageID: c.MessageID, Lane: c.Lane, StepID: c.StepID, PluginName: c.Name, Started: time.Now(), Output: c.Output}
		if c.StepID == c.Name {
			u.PluginName = ""
		}
		if start == nil {
			fmt.Fprint(c.Stderr, "this agent is not updated by documents")
			return failed()
		}
		if err := start(u, c.Log); err != nil {
			fmt.Fprint(c.Stderr, err.Error())
			return failed()
		}
		fmt.Fprintf(c.Stdout, "Updater of version %s has taken the request\n", stamp.Version())
		return Exit{Status: wire.InProgress}
	}
}
