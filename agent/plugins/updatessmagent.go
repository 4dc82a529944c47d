package plugins

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
	"github.com/ssm-setup/ssm-setup/regions/wire"
	"github.com/ssm-setup/ssm-setup/updater"
)

// updateInputs are the inputs of aws:updateSsmAgent, all text (spec update 1.3).
type updateInputs struct {
	AgentName      string
	AllowDowngrade string
	TargetVersion  string
	Source         string
}

// updateSsmAgent hands an update to an updater of the running version and ends its step InProgress: the updater sends
// the answer (spec update 1.4). Whether the version is wanted, known or older is decided there, not here.
func updateSsmAgent(_ context.Context, c Call) Outcome { return c.update(updater.Start) }

// update is the action with the function that hands the request over.
func (c Call) update(start func(installer.Layout, updater.Request) error) Outcome {
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
	r := updater.Request{Want: in.TargetVersion, AllowDowngrade: allow, Why: updater.ByDocument, Package: in.AgentName,
		Source: in.Source, ReplyTo: c.replyTo()}
	err = start(installer.At(c.Machine.Root), r)
	switch {
	case errors.Is(err, updater.ErrBusy), errors.Is(err, updater.ErrDied):
		sentinel := updater.ErrBusy
		if errors.Is(err, updater.ErrDied) {
			sentinel = updater.ErrDied
		}
		c.Log.Warn("updater did not take the request", "error", err)
		fmt.Fprint(c.Stderr, sentinel.Error())
		return failed()
	case err != nil:
		fmt.Fprint(c.Stderr, err.Error())
		return failed()
	}
	fmt.Fprintf(c.Stdout, "Updater of version %s has taken the request\n", stamp.Version())
	return Outcome{Status: wire.InProgress}
}

// replyTo says where the updater's answer goes. Documents 1.x are answered under the plugin's name and without one.
func (c Call) replyTo() *updater.ReplyTo {
	to := &updater.ReplyTo{
		MessageID: c.MessageID, CommandID: wire.CommandID(c.MessageID), PluginKey: c.StepID, PluginName: c.Name,
		Upstream: c.Lane, Started: time.Now(),
		Stdout: filepath.Join(c.OutputDir, "stdout"), Stderr: filepath.Join(c.OutputDir, "stderr"),
		Bucket: c.OutputBucket,
	}
	if c.StepID == c.Name {
		to.PluginName = ""
	}
	if c.OutputBucket != "" {
		to.StepName, to.Prefix = c.OutputStep, strings.TrimPrefix(c.OutputPrefix+"/"+c.OutputStep, "/")
	}
	return to
}
