package local

import (
	"slices"
	"time"

	"go.etcd.io/bbolt"

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

func getCommandInvocation(c *call) (any, error) {
	var in struct{ CommandId, InstanceId, PluginName string }
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	var k check
	k.required("commandId", in.CommandId)
	k.required("instanceId", in.InstanceId)
	k.length("pluginName", in.PluginName, 4, 1024)
	switch err := k.err(); {
	case err != nil:
		return nil, err
	case !isUUID(in.CommandId):
		return nil, refuse("InvalidCommandId", "The command ID %q isn't valid.", in.CommandId)
	case !isNodeID(in.InstanceId):
		return nil, refuse("InvalidInstanceId", "The node ID %q isn't valid.", in.InstanceId)
	}
	cmd, inv, n, err := c.region.invocation(in.CommandId, in.InstanceId)
	if err != nil {
		return nil, err
	}
	out := invocationDetails{CommandId: in.CommandId, InstanceId: in.InstanceId, Comment: cmd.Comment, DocumentName: cmd.Document,
		DocumentVersion: cmd.DocumentVersion, ResponseCode: -1, CloudWatchOutputConfig: cmd.CloudWatch}
	s := cmd.standingOf(n, c.region.now())
	out.Status, out.StatusDetails = s.Status, s.Details
	at := slices.IndexFunc(inv.Steps, func(st step) bool { return st.ID == in.PluginName })
	switch {
	case in.PluginName != "" && at < 0:
		return nil, refuse("InvalidPluginName", "The command has no step %s.", in.PluginName)
	case in.PluginName != "":
		out.Status, out.StatusDetails = stepStatus(inv.Steps[at], s)
		out.fill(inv.Steps[at], s)
	default: // of several steps that ran, the caller must name one to see its output
		if ran := inv.ran(); len(ran) == 1 {
			out.fill(ran[0], s)
		}
	}
	return out, nil
}

// ran are the steps that weren't skipped.
func (inv invocation) ran() []step {
	return slices.DeleteFunc(slices.Clone(inv.Steps), func(st step) bool { return st.Status == wire.Skipped })
}

// invocation reads one invocation with its command and node.
func (r *Region) invocation(commandID, instance string) (cmd command, inv invocation, n registration, err error) {
	if err := r.settle(); err != nil {
		return cmd, inv, n, err
	}
	err = r.db.View(func(tx *bbolt.Tx) (err error) {
		var ok bool
		if inv, ok, err = fetch[invocation](tx, inInvocations, commandID+"/"+instance); err != nil || !ok {
			return orNotFound(err, refuse("InvocationDoesNotExist", "The command %s wasn't sent to %s.", commandID, instance))
		}
		if cmd, _, err = fetch[command](tx, inCommands, commandID); err != nil {
			return err
		}
		n, _, err = fetch[registration](tx, inNodes, instance)
		return err
	})
	return cmd, inv, n, err
}

// fill shows one step. Updaters fill the short output only; it stands in for the streams then (spec update 1.18).
func (d *invocationDetails) fill(st step, s standing) {
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
	d.ExecutionStartDateTime, d.ExecutionEndDateTime = st.StartDateTime, st.EndDateTime
	start, err1 := wire.ParseISOMillis(st.StartDateTime)
	end, err2 := wire.ParseISOMillis(st.EndDateTime)
	if err1 == nil && err2 == nil {
		d.ExecutionElapsedTime = elapsed(max(end.Sub(start), time.Duration(0)))
	}
}

func cancelCommand(c *call) (any, error) {
	var in struct {
		CommandId   string
		InstanceIds []string
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if !isUUID(in.CommandId) {
		return nil, refuse("InvalidCommandId", "The command ID %q isn't valid.", in.CommandId)
	}
	for i, id := range in.InstanceIds {
		if slices.Contains(in.InstanceIds[:i], id) {
			return nil, refuse("DuplicateInstanceId", "%s is named twice.", id)
		}
	}
	return struct{}{}, c.region.stop(in.CommandId, in.InstanceIds)
}

func (r *Region) stop(commandID string, instances []string) error {
	return r.db.Update(func(tx *bbolt.Tx) error {
		cmd, ok, err := fetch[command](tx, inCommands, commandID)
		if err != nil || !ok {
			return orNotFound(err, refuse("InvalidCommandId", "There is no command %s.", commandID))
		}
		for _, id := range instances {
			if _, ok := cmd.Standing[id]; !ok {
				return refuse("InvalidInstanceId", "The command %s wasn't sent to %s.", commandID, id)
			}
		}
		if len(instances) == 0 {
			instances = cmd.Order
		}
		if err := r.callOff(tx, &cmd, instances); err != nil {
			return err
		}
		return save(tx, inCommands, cmd.ID, cmd)
	})
}
