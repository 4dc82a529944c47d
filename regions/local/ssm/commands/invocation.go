package commands

import (
	"slices"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
	"github.com/ssm-setup/ssm-setup/regions/local/ssm/nodes"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// invocationDetails is the SDK's type GetCommandInvocationOutput.
type invocationDetails struct {
	CommandId              string
	InstanceId             string
	Comment                string
	DocumentName           string
	DocumentVersion        string
	PluginName             string
	ResponseCode           int    // -1 until there is an answer
	ExecutionStartDateTime string // ISO 8601, like the next two
	ExecutionElapsedTime   string
	ExecutionEndDateTime   string
	Status                 string
	StatusDetails          string
	StandardOutputContent  string // at most 24000 characters
	StandardOutputUrl      string
	StandardErrorContent   string // at most 8000 characters
	StandardErrorUrl       string
	CloudWatchOutputConfig cloudWatchOutput
}

func (tr *Tracker) getCommandInvocation(c *protocol.Call) (any, error) {
	var in struct{ CommandId, InstanceId, PluginName string }
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	var k protocol.Check
	k.Required("commandId", in.CommandId)
	k.Required("instanceId", in.InstanceId)
	k.Length("pluginName", in.PluginName, 4, 1024)
	switch err := k.Err(); {
	case err != nil:
		return nil, err
	case !protocol.IsUUID(in.CommandId):
		return nil, protocol.Refuse("InvalidCommandId", "The command ID %q isn't valid.", in.CommandId)
	case !nodes.IsID(in.InstanceId):
		return nil, protocol.Refuse("InvalidInstanceId", "The node ID %q isn't valid.", in.InstanceId)
	}
	cmd, inv, n, err := tr.invocation(in.CommandId, in.InstanceId)
	if err != nil {
		return nil, err
	}
	out := invocationDetails{CommandId: in.CommandId, InstanceId: in.InstanceId, Comment: cmd.Comment, DocumentName: cmd.Document,
		DocumentVersion: cmd.DocumentVersion, ResponseCode: -1, CloudWatchOutputConfig: cmd.CloudWatch}
	s := cmd.standingOf(n, tr.now())
	out.Status, out.StatusDetails = s.Status, s.Details
	at := slices.IndexFunc(inv.Steps, func(st step) bool { return st.ID == in.PluginName })
	switch {
	case in.PluginName != "" && at < 0:
		return nil, protocol.Refuse("InvalidPluginName", "The command has no step %s.", in.PluginName)
	case in.PluginName != "":
		out.Status, out.StatusDetails = stepStatus(inv.Steps[at], s)
		tr.showStep(&out, inv.Steps[at], s)
	default: // of several steps that ran, the caller must name one to see its output
		if ran := inv.ran(); len(ran) == 1 {
			tr.showStep(&out, ran[0], s)
		}
	}
	return out, nil
}

// ran are the steps that the node said something of and did not skip; the only step of a document is always one.
func (inv invocation) ran() []step {
	if len(inv.Steps) == 1 {
		return inv.Steps
	}
	return slices.DeleteFunc(slices.Clone(inv.Steps), func(st step) bool { return !st.Answered || st.Status == wire.Skipped })
}

// invocation reads one invocation with its command and node.
func (tr *Tracker) invocation(commandID, instance string) (cmd command, inv invocation, n nodes.Node, err error) {
	if err := tr.Settle(); err != nil {
		return cmd, inv, n, err
	}
	err = tr.records.View(func(tx *records.Tx) (err error) {
		var ok bool
		if inv, ok, err = records.Fetch[invocation](tx, invocationsTable, commandID+"/"+instance); err != nil || !ok {
			return protocol.NotFound(err, protocol.Refuse("InvocationDoesNotExist", "The command %s wasn't sent to %s.", commandID, instance))
		}
		if cmd, _, err = records.Fetch[command](tx, commandsTable, commandID); err != nil {
			return err
		}
		n, err = nodes.Named(tx, instance)
		return err
	})
	return cmd, inv, n, err
}

// showStep shows one step. Updaters fill the short output only; it stands in for the streams then (docs/protocol/update.md,
// "Reporting of an update").
func (tr *Tracker) showStep(d *invocationDetails, st step, s standing) {
	d.PluginName = st.ID
	if !st.Answered {
		return
	}
	if status, _ := stepStatus(st, s); status != wire.InProgress {
		d.ResponseCode = st.Code
	}
	d.StandardOutputContent, d.StandardErrorContent = clip(st.StandardOutput, 24000), clip(st.StandardError, 8000)
	if st.StandardOutput == "" && st.StandardError == "" {
		d.StandardOutputContent = clip(st.Output, 24000)
	}
	d.StandardOutputUrl, d.StandardErrorUrl = tr.urls(keptOf(st))
	d.ExecutionStartDateTime, d.ExecutionEndDateTime = st.StartDateTime, st.EndDateTime
	start, err1 := wire.ParseISOMillis(st.StartDateTime)
	end, err2 := wire.ParseISOMillis(st.EndDateTime)
	if err1 == nil && err2 == nil {
		d.ExecutionElapsedTime = elapsed(max(end.Sub(start), time.Duration(0)))
	}
}
