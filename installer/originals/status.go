package originals

import (
	"context"

	"github.com/ssm-setup/ssm-setup/manifests"
)

// Status is what is known of the original on this system.
type Status struct {
	Presence
	Sight  string // empty: it runs; else what it lacks
	PID    int    // of its main program
	Worker int
	Kind   string // of the service manager
	Boot   string
	Record Record
	Line   string // for an agent that this tool does not change: what does
}

// Status looks at the installed original. What the record lacks stays empty.
func (a *Agent) Status(ctx context.Context) (Status, error) {
	here, err := a.Present(ctx)
	if err != nil {
		return Status{}, err
	}
	s := Status{Presence: here}
	if here.Packing == "snap" {
		s.Line = "snap refresh amazon-ssm-agent updates it"
		s.Sight = "not looked at: it is a snap"
		return s, nil
	}
	seen, err := a.look()
	if err != nil {
		return s, err
	}
	if !seen.healthy() {
		s.Sight = seen.lacks()
	}
	if len(seen.main) > 0 {
		s.PID = seen.main[0]
	}
	if len(seen.workers) > 0 {
		s.Worker = seen.workers[0]
	}
	if status, err := a.System.Service.Status(); err == nil {
		s.Kind, s.Boot = status.Kind, status.Boot
	}
	s.Record, err = a.ReadRecord()
	return s, err
}

// Complaint is the last ERROR about registration or credentials in the agent's log, within what is read of it; empty: there is none.
func (a *Agent) Complaint() string { return a.complaint(nil) }

// Previous is the version that a rollback goes back to; zero: none.
func (s Status) Previous() manifests.Version {
	if s.Record.Before == nil || s.Record.Before.Version == s.Version {
		return manifests.Version{}
	}
	return s.Record.Before.Version
}
