package ledger

import (
	"fmt"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Kinds of outcomes beside those of [manifests.Kind], which an update that changed nothing ends in.
const (
	Updated    = "updated"
	WentBack   = "went-back"   // a rollback that was asked for
	RolledBack = "rolled-back" // the new version did not prove itself
	FailedKind = "failed"      // before anything was changed
	Postponed  = "postponed"   // the service was out of reach
	NoPrevious = "no-previous" // nothing to go back to
)

// Outcome is how an update ended.
type Outcome struct {
	ID             string            `json:"id"`
	Why            string            `json:"why,omitempty"`
	Want           string            `json:"want,omitempty"`
	Kind           string            `json:"kind"`
	Success        bool              `json:"success"` // the reply's result
	Code           string            `json:"code,omitempty"`
	Fault          fault.Kind        `json:"fault,omitempty"`
	FromVersion    manifests.Version `json:"from,omitzero"`
	ToVersion      manifests.Version `json:"target,omitzero"`
	RunningVersion manifests.Version `json:"running,omitzero"`         // after it
	Newer          manifests.Version `json:"newer_elsewhere,omitzero"` // see manifests.Decision
	Region         string            `json:"region,omitempty"`
	Source         string            `json:"source,omitempty"`
	Trust          Trust             `json:"trust,omitzero"`  // why the source was believed; zero: none was asked
	Lines          []string          `json:"lines,omitempty"` // the original's words
	Detail         string            `json:"detail,omitempty"`
	Hints          []string          `json:"hints,omitempty"`
	Reason         string            `json:"reason,omitempty"`   // of a rollback or failure
	Overrode       string            `json:"overrode,omitempty"` // what a person went past: a reason's code of updater/policy
	Until          time.Time         `json:"until,omitzero"`     // of a decision against a change: when it is worth asking again
	Download       *Download         `json:"download,omitempty"` // what came over the network; nil: nothing was to be fetched
	Started        time.Time         `json:"started"`
	Ended          time.Time         `json:"ended,omitzero"`
}

// Text is the outcome as the reply's output: the original's lines, then ours.
func (o Outcome) Text() string {
	var b strings.Builder
	for _, l := range o.Lines {
		b.WriteString(l + "\n")
	}
	if o.Detail != "" {
		b.WriteString(o.Detail + "\n")
	}
	for _, h := range o.Hints {
		b.WriteString("hint: " + h + "\n")
	}
	return b.String()
}

// AddLine adds a line of the original's words, formatted as by fmt.Sprintf.
func (o *Outcome) AddLine(format string, args ...any) {
	o.Lines = append(o.Lines, fmt.Sprintf(format, args...))
}

// Owed is an answer that could not be sent yet. It keeps its reply id, so that the service sees one answer however often it is
// tried.
type Owed struct {
	MessageID string    `json:"message_id"`
	Upstream  string    `json:"upstream,omitempty"` // the lane, see [ReplyTo]
	ReplyID   string    `json:"reply_id"`
	Payload   string    `json:"payload,omitempty"` // of SendReply; empty once it was sent
	Status    string    `json:"status,omitempty"`  // the health status that goes with it
	Version   string    `json:"version,omitempty"`
	Since     time.Time `json:"since"`
}
