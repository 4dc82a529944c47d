package updater

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// errNobody says that no launcher runs, so nothing can be alive.
var errNobody = errors.New("no launcher runs")

// alive waits until an agent of a version beat twice, for as long as one may be silent, at least 20 s. One of another version that
// was started under an older pointer is sent away again; a launcher that starts nobody is waited for.
func (w *work) alive(ctx context.Context, version string) error {
	pause := min(installer.BeatPeriod(w.Settings.Watch)/2, 200*time.Millisecond)
	v := w.newVigil(version, awake{now: w.Now(), most: 2 * pause})
	for {
		l := w.look(v.clock.look(w.Now()))
		switch {
		case l.running:
			v.without = l.now
		case l.now.Sub(v.without) >= grace && !w.revive():
			return errNobody
		case l.now.Sub(v.without) >= grace:
			v.began, v.without = l.now, l.now
		}
		if v.lingers(l) {
			w.stopAgent(ctx)
		}
		if v.beats(l, w.u.Since) {
			return nil
		}
		if _, died := w.died(v.sequence, version); v.idle(l) && !died {
			v.began = l.now
		}
		if quiet := l.now.Sub(v.began); quiet >= v.patience {
			return fmt.Errorf("no sign of life of %s for %s", version, round(quiet))
		}
		if w.Pause(ctx, pause) != nil {
			return errLeave
		}
	}
}

// vigil is a wait for life in a version that is not on probation.
type vigil struct {
	version  string
	sequence uint64 // of the pointer
	clock    awake
	patience time.Duration

	began   time.Time // since when somebody might have been heard
	until   time.Time // a launcher that starts nobody is waited for
	without time.Time // since when no launcher was seen
	asked   time.Time // when an agent of an older sequence was last asked to leave
	sent    int       // how often
	process int       // the agent of the version
	first   uint64    // its first beat that was seen
}

func (w *work) newVigil(version string, clock awake) *vigil {
	state, _ := w.store.Read()
	now := clock.now
	return &vigil{version: version, sequence: state.Sequence, clock: clock, patience: max(silence(w.Settings.Watch), 20*time.Second),
		began: now, without: now, asked: now, until: now.Add(deadline(w.Settings.Watch))}
}

// lingers reports whether an agent of an older sequence is to be asked to leave again.
func (v *vigil) lingers(l look) bool {
	if !l.lingers(v.sequence) || l.pulse.Version == v.version || v.sent >= mostAsked || l.now.Sub(v.asked) < askAgain {
		return false
	}
	v.began, v.asked, v.sent = l.now, l.now, v.sent+1
	return true
}

// idle reports whether a launcher has started nobody so far, and may take its time.
func (v *vigil) idle(l look) bool { return l.running && l.agent == 0 && l.now.Before(v.until) }

// beats reports whether one process of the version was seen to beat. What was written before since is not counted.
func (v *vigil) beats(l look, since time.Time) bool {
	p := l.pulse
	if !l.legible || p.Version != v.version || !p.At.After(since.Add(-time.Second)) {
		return false
	}
	if v.process != p.PID {
		v.process, v.first = p.PID, p.Beats
	}
	return p.Beats > v.first
}

// died tells how a version died under a pointer, if the launcher noted that it did.
func (w *work) died(sequence uint64, version string) (how string, died bool) {
	d, err := launcher.ReadDeath(w.Layout.Pointer())
	if err != nil || d.Sequence != sequence {
		return "", false
	}
	return d.How, d.Version == version || d.Version == pointer.Floor && d.Floor == version
}
