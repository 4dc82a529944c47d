package local

import (
	"context"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Reply is one SendReply as it came in, each ReplyId once.
type Reply struct {
	At      time.Time
	ReplyID string
	Payload string // JSON of a [wire.Reply]
}

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

// SendCommand sends a command to one node, as SendCommand does, with the usual time-outs.
func (r *Region) SendCommand(document, instance string, parameters map[string][]string) (commandID string, err error) {
	cmd, err := r.send(sendCommandInput{DocumentName: document, InstanceIds: []string{instance}, Parameters: parameters})
	return cmd.ID, err
}

// Cancel cancels a command on all its nodes.
func (r *Region) Cancel(commandID string) error { return r.stop(commandID, nil) }

// Invocation tells where a command stands on a node: its status (the SDK's type CommandInvocationStatus), the outputs of
// its steps one after another, and the steps. The status is empty where there is no such invocation.
func (r *Region) Invocation(commandID, instance string) (status, output string, plugins []Plugin) {
	cmd, inv, n, err := r.invocation(commandID, instance)
	if err != nil {
		return "", "", nil
	}
	s := cmd.standingOf(n, r.now())
	for _, st := range inv.Steps {
		p := cmd.pluginOf(st, s)
		plugins = append(plugins, Plugin{Name: st.ID, Action: st.Action, Status: p.Status, Code: p.ResponseCode, Output: st.Output,
			StandardOutput: st.StandardOutput, StandardError: st.StandardError})
		if st.StandardOutput != "" {
			output += st.StandardOutput
		} else {
			output += st.Output
		}
	}
	if output == "" {
		output = inv.Trace
	}
	return s.Status, output, plugins
}

// WaitCommand waits until a command comes to its end on a node and returns its last status; it ends early, with the
// status then, when ctx does.
func (r *Region) WaitCommand(ctx context.Context, commandID, instance string) (status string, err error) {
	for {
		changed := r.waiter("command/" + commandID)
		cmd, inv, _, err := r.invocation(commandID, instance)
		if err != nil {
			return "", err
		}
		s := cmd.Standing[inv.Instance]
		if s.final() {
			return s.Status, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return s.Status, ctx.Err()
		}
	}
}

// Replies are all replies of a node to a command, in the order they came.
func (r *Region) Replies(commandID, instance string) (replies []Reply) {
	_ = r.db.View(func(tx *bbolt.Tx) error {
		return each(tx, inReplies, commandID+"/"+instance+"/", func(_ string, reply Reply) bool {
			replies = append(replies, reply)
			return false
		})
	})
	return replies
}

// Cancels are the message ids of the cancels sent for a command to a node.
func (r *Region) Cancels(commandID, instance string) (ids []string) {
	_ = r.db.View(func(tx *bbolt.Tx) error {
		return each(tx, inCancels, "", func(id, of string) bool {
			if of == wire.MessageID(commandID, instance) {
				ids = append(ids, id)
			}
			return false
		})
	})
	return ids
}

// Commands are the ids of all commands, the newest first.
func (r *Region) Commands() (ids []string) {
	_ = r.db.View(func(tx *bbolt.Tx) error {
		return commandsOf(tx, "", func(_ string, c command) error { ids = append(ids, c.ID); return nil })
	})
	return slices.Clip(ids)
}

// HoldPolls sets how long a poll without messages is held; 0 means the usual 15 s.
func (r *Region) HoldPolls(d time.Duration) {
	r.desk.mu.Lock()
	defer r.desk.mu.Unlock()
	r.desk.poll = d
}
