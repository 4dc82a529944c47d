package updater

import (
	"context"
	"fmt"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
	"github.com/ssm-setup/ssm-setup/installer/store"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
	"github.com/ssm-setup/ssm-setup/updater/watch"
)

// When what runs counts as proved without an update.
const (
	floorProves    = time.Minute      // a floor that a package changed
	fallbackProves = 30 * time.Minute // a version the launcher fell back to
)

// alignment is what brings pointer and machine together.
type alignment struct {
	align         bool
	active, aside pointer.Target
	block         pointer.Target // goes to the skip list
	leave         bool           // the running agent is of an older pointer: it is asked to leave
	why           string
}

// alignmentOf compares pointer, floor and what runs, and says what to do. It is pure. alive: the pulse is a living process's; fell: the
// floor of this version was tried under this pointer, and died.
func alignmentOf(s pointer.State, floor string, p installer.Pulse, alive, fell bool, now time.Time) alignment {
	if s.Sequence == 0 || s.Probation {
		return alignment{}
	}
	old := now.Sub(p.Started)
	first := s.FloorFirst(floor)
	switch {
	case s.Floor != floor && (first || s.Active.IsFloor()) && fell && alive && p.Version != floor && p.Sequence == s.Sequence:
		if t, ok := inRing(s, p, floor); ok && old >= fallbackProves {
			return alignment{align: true, active: t, aside: pointer.OnFloor(), block: pointer.OnFloor(),
				why: fmt.Sprintf("%s, installed by a package, does not start, %s runs", floor, p.Version)}
		}
		return alignment{}
	case first:
		if alive && p.Version == floor && old >= floorProves {
			return alignment{align: true, active: pointer.OnFloor(), why: "a package installed " + floor}
		}
		return alignment{}
	case s.Floor != floor:
		aside := s.SetAside
		if aside.IsFloor() { // another one, by now
			aside = pointer.Target{}
		}
		return alignment{align: true, active: s.Active, aside: aside, why: "a package installed " + floor}
	case !alive || watch.Runs(p, s.Active, floor):
		return alignment{}
	case p.Sequence < s.Sequence:
		return alignment{leave: true, why: "another version is active since it was started"}
	case p.Sequence == s.Sequence && old >= fallbackProves:
		if t, ok := inRing(s, p, floor); ok {
			return alignment{align: true, active: t, aside: s.Active, block: s.Active,
				why: fmt.Sprintf("%s does not start, %s runs", s.Active.Version, p.Version)}
		}
	}
	return alignment{}
}

// inRing finds which target of the ring runs.
func inRing(s pointer.State, p installer.Pulse, floor string) (pointer.Target, bool) {
	for _, t := range []pointer.Target{s.Active, s.Previous, pointer.OnFloor(), s.SetAside} {
		if !t.IsZero() && watch.Runs(p, t, floor) {
			return t, true
		}
	}
	return pointer.Target{}, false
}

// floorFell reports whether the launcher noted that the floor of this version died under this pointer.
func floorFell(p pointer.Paths, s pointer.State, floor string) bool {
	d, err := launcher.ReadDeath(p)
	return err == nil && d.Version == pointer.Floor && d.Floor == floor && d.Sequence == s.Sequence
}

// hostKept reports whether the launcher noted that the machine, such as its disk, kept this version from being started under this pointer.
func hostKept(p pointer.Paths, s pointer.State, t pointer.Target) bool {
	d, err := launcher.ReadDeath(p)
	_, host := d.HostFault()
	return err == nil && host && d.Version == t.Version && d.Sequence == s.Sequence
}

// align does what [alignmentOf] says.
func (e *Engine) align(ctx context.Context, b *ledger.File) error {
	s := store.Store{Paths: e.Layout.Pointer()}
	state, err := s.Read()
	if err != nil {
		return err
	}
	floor, err := e.System.Floor()
	if err != nil {
		return err
	}
	w := &work{Engine: e, ledger: b, u: &ledger.Update{}, store: s}
	p, alive := w.pulse()
	m := alignmentOf(state, floor.String(), p, alive, floorFell(s.Paths, state, floor.String()), e.Now())
	if m.leave {
		e.Log.Info("asking the running agent to leave", "version", p.Version, "why", m.why)
		w.stopAgent(ctx, p.PID)
		_ = w.alive(ctx, versionOf(state.Active, floor).String()) // a launcher that died in this moment is started again
	}
	if !m.align {
		return nil
	}
	e.Log.Info("changing the active version to the one that runs", "active", m.active.Version, "why", m.why)
	if !m.block.IsZero() {
		if !hostKept(s.Paths, state, m.block) {
			b.Block(versionOf(m.block, floor), m.why, false, e.Now())
			if err := b.Save(true); err != nil {
				return err
			}
		}
		e.noteAligned(versionOf(m.active, floor), versionOf(m.block, floor), m.why)
	}
	if _, err := s.Align(state.Sequence, m.active, m.aside, floor.String()); err != nil {
		return fmt.Errorf("record the version that runs: %w", err)
	}
	_, err = s.Collect()
	return err
}

// noteAligned enters in the history that a version gave way to the one that runs, though no update was under way.
func (e *Engine) noteAligned(runs, failed manifests.Version, why string) {
	err := ledger.NoteDecision(e.Layout, ledger.Decision{At: e.Now(), ID: host.NewUUID(), Reason: ledger.RolledBack, From: runs, To: failed,
		Running: runs, Text: ledger.Cut(why, 300)})
	if err != nil {
		e.Log.Warn("cannot write the history of decisions", "error", err)
	}
}
