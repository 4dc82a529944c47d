package store

import (
	"errors"
	"fmt"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// Read is the pointer as it is. A machine without one runs the floor: sequence 0, no error.
func (s Store) Read() (pointer.State, error) {
	state, err := pointer.Read(s.Paths)
	if errors.Is(err, pointer.ErrNone) && missing(err) {
		return state, nil
	}
	return state, err
}

// Change is one decision about which agent is to run.
type Change struct {
	From      uint64         // sequence of the pointer it replaces
	Sequence  uint64         // of the new pointer, from Prepare
	To        pointer.Target // the new active version; the old one becomes previous
	Probation bool           // it has to prove itself; false for what was confirmed on this host before
	Floor     string         // version of the floor this was decided beside
}

// Switch writes the pointer. The target has to be sound and, for a probation, have all its tokens. A pointer that is not the one
// named is [ErrMoved]; one on probation is [ErrProbation] (confirm or undo first).
func (s Store) Switch(c Change) (pointer.State, error) {
	old, err := pointer.Read(s.Paths)
	if err != nil {
		return pointer.State{}, fmt.Errorf("%w: %w", ErrSlots, err)
	}
	if old.Probation {
		return old, ErrProbation
	}
	if _, err := pointer.Check(s.Paths, c.To); err != nil {
		return old, err
	}
	if c.Probation && pointer.Tokens(s.Paths, c.Sequence) != len(pointer.TokenNames()) {
		return old, fmt.Errorf("switch to %s: %w", c.To.Version, pointer.ErrNoToken)
	}
	next := old
	next.Sequence, next.Active, next.Probation, next.Floor = c.Sequence, c.To, c.Probation, c.Floor
	if old.Active != c.To {
		next.Previous = old.Active
	}
	if next.SetAside == c.To {
		next.SetAside = pointer.Target{}
	}
	if err := s.write(c.From, next); err != nil {
		return old, err
	}
	return next, nil
}

// Confirm ends the probation of the pointer with the sequence from well: the pointer first, then the tokens. Tokens that cannot
// be removed do no harm and are no error; Collect tries again.
func (s Store) Confirm(from uint64) (pointer.State, error) {
	old, err := s.onProbation(from)
	if err != nil {
		return old, err
	}
	next := old
	next.Sequence, next.Probation = s.highest()+1, false
	if err := s.writeOn(from, next); err != nil {
		return old, err
	}
	_ = s.collectTokens(next.Sequence)
	return next, nil
}

// Back ends the probation of the pointer with the sequence from badly, after [Store.DropTokens] and after the agent was
// stopped: the previous version is active again, as confirmed. before is what was previous ahead of the update, as the ledger has
// it; the zero target means the floor.
func (s Store) Back(from uint64, before pointer.Target) (pointer.State, error) {
	old, err := s.onProbation(from)
	if err != nil {
		return old, err
	}
	next := old
	next.Sequence, next.Probation = s.highest()+1, false
	next.Active, next.Previous = old.Previous, before
	if next.Active.IsZero() {
		next.Active = pointer.OnFloor()
	}
	if next.Previous == next.Active || next.Previous == old.Active {
		next.Previous = pointer.Target{}
	}
	if err := s.writeOn(from, next); err != nil {
		return old, err
	}
	_ = s.collectTokens(next.Sequence)
	return next, nil
}

// onProbation is the pointer, which has to have this sequence and be on probation.
func (s Store) onProbation(from uint64) (pointer.State, error) {
	state, err := pointer.Read(s.Paths)
	if err != nil {
		return state, err
	}
	if state.Sequence != from || !state.Probation {
		return state, fmt.Errorf("%w: it is at change %d, on trial %t", ErrMoved, state.Sequence, state.Probation)
	}
	return state, nil
}

// Align brings the pointer in line with what runs: after a fall-back proved itself, or when a package changed the floor. active
// is confirmed; aside (zero: nothing) goes to the end of the ring until its version is collected; floor is the version of the
// floor from now on.
func (s Store) Align(from uint64, active, aside pointer.Target, floor string) (pointer.State, error) {
	old, err := pointer.Read(s.Paths)
	if err != nil {
		return old, fmt.Errorf("%w: %w", ErrSlots, err)
	}
	next := old
	next.Sequence, next.Probation, next.Floor, next.SetAside = s.highest()+1, false, floor, aside
	if next.Active != active {
		next.Previous, next.Active = old.Active, active
	}
	if err := s.writeOn(from, next); err != nil {
		return old, err
	}
	_ = s.collectTokens(next.Sequence)
	return next, nil
}
