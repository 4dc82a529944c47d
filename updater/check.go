package updater

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/store"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// Checked is what an update would do, without doing it.
type Checked struct {
	Kind           string            `json:"kind"` // see manifests.Kind
	Changes        bool              `json:"changes"`
	Success        bool              `json:"success"`
	Code           string            `json:"code,omitempty"`
	RunningVersion manifests.Version `json:"running"`
	ToVersion      manifests.Version `json:"target,omitzero"`
	Region         string            `json:"region,omitempty"`
	Source         string            `json:"source,omitempty"`
	Lines          []string          `json:"lines,omitempty"`
	Detail         string            `json:"detail,omitempty"`
	Hints          []string          `json:"hints,omitempty"`
	Newer          manifests.Version `json:"newer_elsewhere,omitzero"` // see manifests.Decision
	Fault          fault.Kind        `json:"fault,omitempty"`
	Overrode       string            `json:"overrode,omitempty"` // what a person goes past, a code of [policy.Reasons]
	Until          time.Time         `json:"until,omitzero"`     // when it is worth asking again
	Plan           *Preview          `json:"plan,omitempty"`     // what it needs and obeys
}

// Check decides as an update would. It writes nothing and needs no lock. A region that cannot be read is an answer too.
func (e *Engine) Check(ctx context.Context, r ledger.Request) (Checked, error) {
	e.complete()
	led, err := ledger.Read(e.Layout)
	if err != nil && !errors.Is(err, ledger.ErrDamaged) {
		return Checked{}, err
	}
	w := &work{
		Engine: e,
		ledger: &ledger.File{Ledger: led},
		u:      &ledger.Update{Request: ledger.WithID(r, e.Now())},
		store:  store.Store{Paths: e.Layout.Pointer()},
	}
	state, err := w.store.Read()
	if err != nil {
		return Checked{}, err
	}
	floor, err := e.System.Floor()
	if err != nil {
		return Checked{}, err
	}
	w.u.FromVersion = w.running(state, floor)
	answer, verdict, err := w.decide(ctx, floor)
	c := Checked{
		Kind:           string(answer.Kind),
		Changes:        answer.Changes(),
		Success:        answer.Success,
		Code:           answer.Code,
		RunningVersion: w.u.FromVersion,
		ToVersion:      answer.Target,
		Region:         e.Settings.Region,
		Source:         fault.Redact(w.u.Source),
		Lines:          answer.Lines,
		Detail:         answer.Detail,
		Hints:          answer.Hints,
		Newer:          w.u.Newer,
		Until:          verdict.Until,
	}
	for _, n := range w.u.Notes {
		c.Detail += "\n" + n
	}
	p := w.preview(floor, answer, verdict)
	c.Plan = &p
	if c.Changes {
		c.Overrode, w.u.ToVersion = verdict.Reason, answer.Target
	}
	if c.Changes && !answer.FromFloor {
		err = w.obstacles()
	}
	var f *failure
	switch {
	case errors.As(err, &f):
		c.Kind, c.Code, c.Lines, c.Fault = ledger.FailedKind, f.code, []string{f.text}, cmp.Or(f.fault, fault.Of(f.cause))
		c.Changes, c.Success, c.Detail, c.Hints = false, false, f.text, hints(c.Fault)
		return c, nil
	case err == nil && !answer.Success:
		c.Fault = fault.Refused
	}
	return c, err
}
