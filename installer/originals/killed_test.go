package originals_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/originals"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// scene is a command on a world, and what may be there after the command was killed and another one ran.
type scene struct {
	world func(t *testing.T) *world
	act   func(w *world, a *originals.Agent) error
	from  string // version before; empty: none
	to    string
}

func scenes() map[string]scene {
	install := func(w *world, a *originals.Agent) error {
		_, err := a.Install(context.Background(), originals.Options{Source: w.source(amazon), Activation: activation,
			Settings: map[string]any{"Ssm.Endpoint": "http://127.0.0.1:1"}})
		return err
	}
	return map[string]scene{
		"install": {func(t *testing.T) *world {
			w := newWorld(t)
			w.offer(amazon, nil, now, "3.3.1.0")
			return w
		}, install, "", "3.3.1.0"},
		"update": {func(t *testing.T) *world { return updatable(t, "3.3.2.0") }, func(w *world, a *originals.Agent) error {
			_, err := a.Update(context.Background(), originals.Options{Source: w.source(amazon)})
			return err
		}, "3.3.1.0", "3.3.2.0"},
		"a failing update": {func(t *testing.T) *world { return updatable(t, "3.3.2.0 exits") }, func(w *world, a *originals.Agent) error {
			_, err := a.Update(context.Background(), originals.Options{Source: w.source(amazon)})
			if err != nil && w.has() == "3.3.1.0" {
				err = nil
			}
			return err
		}, "3.3.1.0", "3.3.1.0"},
		"rollback": {func(t *testing.T) *world {
			w := updatable(t, "3.3.2.0")
			_, err := w.agent().Update(t.Context(), originals.Options{Source: w.source(amazon)})
			must(t, err)
			return w
		}, func(_ *world, a *originals.Agent) error { _, err := a.Rollback(context.Background()); return err }, "3.3.2.0", "3.3.1.0"},
		"uninstall": {func(t *testing.T) *world { return updatable(t) },
			func(_ *world, a *originals.Agent) error { _, err := a.Remove(context.Background()); return err }, "3.3.1.0", ""},
		"to ours":   {func(t *testing.T) *world { return updatable(t) }, toOurs, "3.3.1.0", "9.1.0.0"},
		"from ours": {withOurs, fromOurs, "9.1.0.0", "3.3.1.0"},
		"from ours with a command": {func(t *testing.T) *world {
			w := withOurs(t)
			w.begin("one", 3)
			return w
		}, fromOurs, "9.1.0.0", "3.3.1.0"},
	}
}

// toOurs has dpkg put ours in, as the engine of our installation does.
func toOurs(w *world, a *originals.Agent) error {
	return a.ToOurs(context.Background(), originals.Options{Source: w.source(amazon)}, func(context.Context) error {
		file := w.home.Root + "/ours.deb"
		must(w.t, os.WriteFile(file, []byte("amazon-ssm-agent 9.1.0.0-1 ours"), 0o600))
		return w.dpkg(file)
	})
}

func withOurs(t *testing.T) *world {
	w := newWorld(t)
	w.offer(amazon, nil, now, "3.3.1.0")
	w.ours(other, "9.1.0.0")
	file := w.home.Root + "/ours.deb"
	must(t, os.WriteFile(file, []byte("amazon-ssm-agent 9.1.0.0-1 ours"), 0o600))
	must(t, w.dpkg(file))
	w.id, w.commands = "mi-0123456789abcdef0", nil
	return w
}

func fromOurs(w *world, a *originals.Agent) error {
	_, err := a.Install(context.Background(), originals.Options{Source: w.source(amazon), Ours: w.source(other)})
	return err
}

// cutAt runs a command that is killed at a place; false: it never came there.
func (s scene) cutAt(w *world, place string) bool {
	a := w.agent()
	cut, done := make(chan struct{}), make(chan error, 1)
	a.CutAt(func(at string) {
		if at == place {
			close(cut)
			select {} // as a killed process: nothing of it goes on, and nothing is tidied up
		}
	})
	go func() { done <- s.act(w, a) }()
	select {
	case <-cut:
		return true
	case <-done:
		return false
	}
}

// places are those that a command passes.
func (s scene) places(t *testing.T) (list []string) {
	w := s.world(t)
	a := w.agent()
	a.CutAt(func(place string) { list = append(list, place) })
	if err := s.act(w, a); err != nil || w.has() != s.to {
		t.Fatalf("unharmed it ends with %q: %v", w.has(), err)
	}
	return list
}

// A command that is killed at any recorded step is gone on with by the same command, and taken back or finished by another one.
func TestAfterACrashAtAnyStepTheNextCommandBringsItToAnEnd(t *testing.T) {
	for name, s := range scenes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			places := s.places(t)
			if len(places) < 2 {
				t.Fatalf("places: %v", places)
			}
			for _, place := range places {
				w := s.world(t)
				if !s.cutAt(w, place) {
					t.Fatalf("%s is not reached", place)
				}
				if err := s.act(w, w.agent()); err != nil && !errors.Is(err, setup.ErrNotInstalled) && !again(err) {
					t.Errorf("killed %s, the same again: %v", place, err)
				}
				w.atRest(place, s.to)

				w = s.world(t)
				s.cutAt(w, place)
				if err := w.agent().Settle(t.Context()); err != nil {
					t.Errorf("killed %s, settled: %v", place, err)
				}
				w.atRest(place, s.from, s.to)
			}
		})
	}
}

// again tells that a rollback found nothing more to do.
func again(err error) bool { return strings.Contains(err.Error(), "was rolled back from") }

// atRest checks that one of these versions is there, whole and at work, and nothing is open.
func (w *world) atRest(place string, versions ...string) {
	w.t.Helper()
	if !slices.Contains(versions, w.has()) || w.has() != "" && !w.running || strings.Contains(w.db, "half") {
		w.t.Errorf("killed %s: %q is there, running %v, want one of %q", place, w.db, w.running, versions)
	}
	r, err := w.agent().ReadRecord()
	if err != nil || r.Open != nil {
		w.t.Errorf("killed %s: %+v is open, %v", place, r.Open, err)
	}
	if r.InUse != nil && r.InUse.Version.String() != w.has() {
		w.t.Errorf("killed %s: the record says %s, there is %s", place, r.InUse.Version, w.has())
	}
}

// A package manager that was killed half way is given the package of before again.
func TestAPackageThatIsHalfInPlaceIsPutRight(t *testing.T) {
	w := updatable(t, "3.3.2.0")
	w.halfway = make(chan struct{})
	go func() {
		_, _ = w.agent().Update(context.Background(), originals.Options{Source: w.source(amazon)})
	}()
	<-w.halfway
	w.halfway = nil
	if s, err := w.agent().Status(t.Context()); err != nil || s.Record.Open == nil {
		t.Errorf("status does not show it: %+v, %v", s, err)
	}
	if !w.agent().Unfinished() {
		t.Error("it is called finished")
	}
	if err := w.agent().Settle(t.Context()); err != nil {
		t.Error(err)
	}
	w.atRest("in dpkg", "3.3.1.0")
	first := newWorld(t)
	first.offer(amazon, nil, now, "3.3.1.0")
	first.halfway = make(chan struct{})
	go func() {
		_, _ = first.agent().Install(context.Background(), originals.Options{Source: first.source(amazon)})
	}()
	<-first.halfway
	first.halfway = nil
	if err := first.agent().Settle(t.Context()); err != nil {
		t.Error(err)
	}
	first.atRest("in dpkg, first", "")
}

func TestMovingBetweenTheTwoIsTakenBackWhereTheOtherFails(t *testing.T) {
	w := updatable(t)
	err := w.agent().ToOurs(t.Context(), originals.Options{Source: w.source(amazon)}, func(context.Context) error {
		must(t, toOursFile(w))
		return setup.ErrUnhealthy
	})
	if !errors.Is(err, setup.ErrUnhealthy) || w.has() != "3.3.1.0" || !w.running || w.id == "" {
		t.Errorf("%v; %s is there", err, w.has())
	}
	back := withOurs(t)
	back.offer(amazon, nil, now, "3.3.2.0 exits")
	if err := fromOurs(back, back.agent()); !errors.Is(err, setup.ErrUnhealthy) || back.has() != "9.1.0.0" || !back.running {
		t.Errorf("%v; %s is there", err, back.has())
	}
	lost := withOurs(t)
	clear(lost.buckets)
	lost.offer(amazon, nil, now, "3.3.1.0")
	if err := fromOurs(lost, lost.agent()); !errors.Is(err, originals.ErrNoWayBack) || len(lost.commands) > 0 {
		t.Errorf("without a way back: %v, did %v", err, lost.commands)
	}
	if v, err := setup.PackageVersion(back.home); err != nil || v != manifests.MustVersion("9.1.0.0") {
		t.Errorf("%s, %v", v, err)
	}
}

func toOursFile(w *world) error {
	file := w.home.Root + "/ours.deb"
	return errors.Join(os.WriteFile(file, []byte("amazon-ssm-agent 9.1.0.0-1 ours"), 0o600), w.dpkg(file))
}
