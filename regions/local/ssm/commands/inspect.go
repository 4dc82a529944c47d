package commands

import (
	"context"
	"slices"

	"github.com/ssm-setup/ssm-setup/regions/local/records"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Plugin is one step of a command as its node answered, in the order of the document.
type Plugin struct {
	Name           string // the step's name; in documents before 2.0 the plugin's
	Action         string
	Status         string // Pending, InProgress, Success, TimedOut, Cancelled, Failed
	Code           int    // -1 until there is an answer
	Output         string
	StandardOutput string
	StandardError  string
}

// Send sends a command to one node, as SendCommand does, with the usual time-outs.
func (tr *Tracker) Send(document, instance string, parameters map[string][]string) (commandID string, err error) {
	cmd, err := tr.send(sendCommandInput{DocumentName: document, InstanceIds: []string{instance}, Parameters: parameters})
	return cmd.ID, err
}

// Cancel cancels a command on all its nodes.
func (tr *Tracker) Cancel(commandID string) error { return tr.cancel(commandID, nil) }

// Invocation is where a command stands on a node.
type Invocation struct {
	Status         string // the SDK's type CommandInvocationStatus: Pending, InProgress, Delayed, Success, …
	StatusDetails  string
	Code           int    // of the first step that failed, else of the last; -1 without an answer
	StandardOutput string // of all steps that ran, one after another; the short output of those that fill no streams
	StandardError  string
	Trace          string // why the node refused the document, if it did
	Plugins        []Plugin
}

// Invocation tells where a command stands on a node. Error: InvocationDoesNotExist.
func (tr *Tracker) Invocation(commandID, instance string) (Invocation, error) {
	cmd, inv, n, err := tr.invocation(commandID, instance)
	if err != nil {
		return Invocation{}, err
	}
	s := cmd.standingOf(n, tr.now())
	out := Invocation{Status: s.Status, StatusDetails: s.Details, Code: -1, Trace: inv.Trace}
	for _, st := range inv.Steps {
		p := cmd.pluginOf(st, s)
		if out.Code <= 0 && p.ResponseCode >= 0 {
			out.Code = p.ResponseCode
		}
		out.Plugins = append(out.Plugins, Plugin{Name: st.ID, Action: st.Action, Status: p.Status, Code: p.ResponseCode,
			Output: st.Output, StandardOutput: st.StandardOutput, StandardError: st.StandardError})
		if st.Status == wire.Skipped {
			continue
		}
		out.StandardError += st.StandardError
		if st.StandardOutput == "" && st.StandardError == "" {
			out.StandardOutput += st.Output
		} else {
			out.StandardOutput += st.StandardOutput
		}
	}
	return out, nil
}

// WaitCommand waits until a command comes to its end on a node; when ctx ends first, it returns where it stands and the
// error of ctx.
func (tr *Tracker) WaitCommand(ctx context.Context, commandID, instance string) (Invocation, error) {
	for {
		changed := tr.records.Changed(signalOf(commandID))
		inv, err := tr.Invocation(commandID, instance)
		if err != nil || ended(inv.Status) {
			return inv, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return inv, ctx.Err()
		}
	}
}

// Replies are all replies of a node to a command, in the order they came.
func (tr *Tracker) Replies(commandID, instance string) (replies []KeptReply) {
	_ = tr.records.View(func(tx *records.Tx) error {
		return records.Each(tx, repliesTable, commandID+"/"+instance+"/", func(_ string, reply KeptReply) bool {
			replies = append(replies, reply)
			return false
		})
	})
	return replies
}

// Cancels are the message ids of the cancels sent for a command to a node.
func (tr *Tracker) Cancels(commandID, instance string) (ids []string) {
	_ = tr.records.View(func(tx *records.Tx) error {
		return records.Each(tx, cancelsTable, "", func(id, of string) bool {
			if of == wire.MessageID(commandID, instance) {
				ids = append(ids, id)
			}
			return false
		})
	})
	return ids
}

// Commands are the ids of all commands, the newest first.
func (tr *Tracker) Commands() (ids []string) {
	_ = tr.records.View(func(tx *records.Tx) error {
		return commandsOf(tx, "", func(_ string, c command) error { ids = append(ids, c.ID); return nil })
	})
	return slices.Clip(ids)
}
