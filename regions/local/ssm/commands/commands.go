package commands

import (
	"encoding/json"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/ssm/documents"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Statuses of commands and invocations beside those of package wire, and details that differ from the status (the SDK's
// type Command).
const (
	pending    = "Pending"
	delayed    = "Delayed"
	cancelling = "Cancelling"

	deliveryTimedOut  = "Delivery Timed Out"
	executionTimedOut = "Execution Timed Out"
	undeliverable     = "Undeliverable"
	terminated        = "Terminated"
	incomplete        = "Incomplete"
	noInstancesInTag  = "No Instances In Tag"
)

// command is the record of one SendCommand. Where each node stands is part of it, so that the command as a whole is
// judged by reading one record; what nodes answered is in their [invocation] records.
type command struct {
	ID              string
	Document        string
	DocumentVersion string // as asked for
	Steps           []step // of the document, in order, nothing answered yet
	Payload         wire.SendCommand
	Comment         string              `json:",omitempty"`
	Parameters      map[string][]string `json:",omitempty"` // as asked for
	InstanceIDs     []string            `json:",omitempty"`
	Targets         []target            `json:",omitempty"`
	Requested       time.Time
	Deadline        time.Time // what is not delivered by then is not run
	Expires         time.Time // what has not answered by then is given up
	Timeout         int       // seconds until Deadline
	MaxConcurrency  string
	MaxErrors       string
	OutputS3Region  string `json:",omitempty"`
	CloudWatch      cloudWatchOutput
	Notification    json.RawMessage `json:",omitempty"`
	Alarm           json.RawMessage `json:",omitempty"`
	ServiceRole     string          `json:",omitempty"`

	Order    []string // nodes, in the order they are served
	Standing map[string]standing
}

// standing is how far a node is with a command.
type standing struct {
	Status  string
	Details string
	Sent    bool // the message was put into its mailbox
}

func (s standing) final() bool { return ended(s.Status) }

// ended tells whether a status is one that never changes again.
func ended(status string) bool {
	switch status {
	case pending, delayed, wire.InProgress, cancelling:
		return false
	}
	return true
}

type cloudWatchOutput struct {
	CloudWatchLogGroupName  string
	CloudWatchOutputEnabled bool
}

// invocation is what one node answered to one command.
type invocation struct {
	CommandID string
	Instance  string
	Steps     []step
	Trace     string    `json:",omitempty"` // documentTraceOutput
	Finished  time.Time `json:",omitzero"`
}

// step is one step of a document, as the node's replies tell of it.
type step struct {
	ID       string // the step's name; in documents before 2.0 the name of the plugin
	Action   string
	Answered bool `json:",omitempty"`
	wire.StepStatus
}

// stepsOf are the steps of a document, nothing answered yet.
func stepsOf(doc documents.Content) (steps []step) {
	for _, s := range doc.Steps {
		steps = append(steps, step{ID: s.ID, Action: s.Action})
	}
	return steps
}

func (inv invocation) key() string { return inv.CommandID + "/" + inv.Instance }

// merge takes over what a reply says about steps.
func (inv *invocation) merge(reply wire.Reply) {
	for id, status := range reply.RuntimeStatus {
		at := -1
		for i := range inv.Steps {
			if inv.Steps[i].ID == id {
				at = i
			}
		}
		if at < 0 {
			at = len(inv.Steps)
			inv.Steps = append(inv.Steps, step{ID: id, Action: status.Name})
		}
		inv.Steps[at].Answered, inv.Steps[at].StepStatus = true, status
	}
	if reply.DocumentTraceOutput != "" {
		inv.Trace = reply.DocumentTraceOutput
	}
}

// takeLate takes over what a late reply says about steps that nothing is known of: an agent that could not send it at first sends
// it after the last one, which stands.
func (inv *invocation) takeLate(reply wire.Reply) (changed bool) {
	for i, st := range inv.Steps {
		if status, ok := reply.RuntimeStatus[st.ID]; ok && !st.Answered {
			inv.Steps[i].Answered, inv.Steps[i].StepStatus, changed = true, status, true
		}
	}
	return changed
}

// counts are the figures of a command over its nodes.
type counts struct{ targets, completed, errors, undelivered int }

func (c command) counts() (n counts) {
	n.targets = len(c.Order)
	for _, s := range c.Standing {
		if s.final() {
			n.completed++
		}
		if s.Status == wire.Failed || s.Details == executionTimedOut {
			n.errors++
		}
		if s.Details == deliveryTimedOut {
			n.undelivered++
		}
	}
	return n
}

// status judges the command as a whole.
func (c command) status() (status, details string) {
	if len(c.Order) == 0 {
		return wire.Success, noInstancesInTag
	}
	seen := map[string]int{} // by details
	open := 0
	for _, s := range c.Standing {
		seen[s.Details]++
		if !s.final() {
			open++
		}
	}
	tooMany := c.counts().errors > c.errorsAllowed()
	switch n := len(c.Order); {
	case seen[cancelling] > 0:
		return cancelling, cancelling
	case open > 0 && seen[pending]+seen[delayed] == n:
		return pending, pending
	case open > 0:
		return wire.InProgress, wire.InProgress
	case seen[wire.Success] == n:
		return wire.Success, wire.Success
	case tooMany && seen[wire.Failed]+seen[undeliverable] > 0:
		return wire.Failed, wire.Failed
	case tooMany:
		return wire.TimedOut, executionTimedOut
	case seen[deliveryTimedOut] > c.errorsAllowed():
		return wire.TimedOut, deliveryTimedOut
	case seen[wire.Cancelled] > 0:
		return wire.Cancelled, wire.Cancelled
	default:
		return wire.Failed, incomplete
	}
}
