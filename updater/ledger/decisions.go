package ledger

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// Decision is an entry of the history: what a request came to, and why.
type Decision struct {
	At       time.Time         `json:"at"`              // of the newest of Times
	Since    time.Time         `json:"since,omitzero"`  // of the oldest; zero: there was one
	Times    int               `json:"times,omitempty"` // the same decision, one after another; 0: once
	ID       string            `json:"id"`              // of the newest request
	Why      string            `json:"why,omitempty"`   // one of the By… constants
	Want     string            `json:"want,omitempty"`
	Reason   string            `json:"reason"` // a code of the table in updater/policy
	Success  bool              `json:"success"`
	Code     string            `json:"code,omitempty"`   // the original's error code
	Status   string            `json:"status,omitempty"` // the original's health status
	From     manifests.Version `json:"from,omitzero"`
	To       manifests.Version `json:"target,omitzero"`
	Running  manifests.Version `json:"running,omitzero"` // after it
	Region   string            `json:"region,omitempty"`
	Source   string            `json:"source,omitempty"`
	Text     string            `json:"text,omitempty"`     // one sentence
	Overrode string            `json:"overrode,omitempty"` // what a person went past, a reason's code
	Until    time.Time         `json:"until,omitzero"`     // when it is worth asking again
}

// Bounds of the history.
const (
	mostDecisions    = 50
	longestText      = 600       // bytes of a decision's text
	longestDecisions = 256 << 10 // bytes of the file
)

// DecisionOf is the entry that an outcome makes; status is its health status.
func DecisionOf(o Outcome, status string) Decision {
	text := o.Reason
	if text == "" {
		text = o.Detail
	}
	return Decision{At: o.Ended, ID: o.ID, Why: o.Why, Want: o.Want, Reason: o.Kind, Success: o.Success, Code: o.Code, Status: status,
		From: o.FromVersion, To: o.ToVersion, Running: o.RunningVersion, Region: o.Region, Source: o.Source, Text: Cut(text, longestText),
		Overrode: o.Overrode, Until: o.Until}
}

// same tells whether two decisions say the same, so that an idle host's history does not fill with them. A change of the host is an entry
// of its own.
func (d Decision) same(e Decision) bool {
	if d.From != d.Running || e.From != e.Running {
		return false
	}
	d.At, d.Since, d.Times, d.ID, d.Until = e.At, e.Since, e.Times, e.ID, e.Until
	return d == e
}

// history is the file: entries as they stand in it, so that what a later version wrote is kept.
type history struct {
	Decisions []json.RawMessage `json:"decisions"`
}

func readHistory(l installer.Layout) (history, error) {
	var h history
	f, err := os.Open(l.Decisions())
	if errors.Is(err, fs.ErrNotExist) {
		return h, nil
	}
	if err != nil {
		return h, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, longestDecisions+1))
	if err == nil && len(text) > longestDecisions {
		err = errors.New("the history of decisions is too long")
	}
	if err == nil {
		err = json.Unmarshal(text, &h)
	}
	return h, err
}

// Decisions are the last decisions on a host, oldest first; those that cannot be read are left out.
func Decisions(l installer.Layout) ([]Decision, error) {
	h, err := readHistory(l)
	list := make([]Decision, 0, len(h.Decisions))
	for _, raw := range h.Decisions {
		var d Decision
		if json.Unmarshal(raw, &d) == nil {
			list = append(list, d)
		}
	}
	return list, err
}

// NoteDecision adds to the history, whole or not at all, and synced. The same request is entered once; the same decision again counts up.
// A damaged history is begun anew. Only the holder of the update lock calls it.
func NoteDecision(l installer.Layout, d Decision) error {
	h, err := readHistory(l)
	if err != nil {
		h = history{}
	}
	var last Decision
	if n := len(h.Decisions); n > 0 && json.Unmarshal(h.Decisions[n-1], &last) == nil {
		switch {
		case last.ID == d.ID:
			d.Since, d.Times = last.Since, last.Times
			h.Decisions = h.Decisions[:n-1]
		case last.same(d):
			d.Since, d.Times = last.Since, max(last.Times, 1)+1
			if d.Since.IsZero() {
				d.Since = last.At
			}
			h.Decisions = h.Decisions[:n-1]
		}
	}
	raw, err := json.Marshal(d)
	if err != nil {
		return err
	}
	h.Decisions = keepLast(append(h.Decisions, raw), mostDecisions)
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return host.WriteFile(l.Decisions(), append(text, '\n'), 0o644) // ssm-setup why shows it to everyone
}
