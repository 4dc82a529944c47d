package trust_test

import (
	"errors"
	"path/filepath"
	"sync"
	"testing"

	"github.com/ssm-setup/ssm-setup/regions/trust"
)

func TestALookThatFailedTakesNothingAwayFromOneThatRanMeanwhile(t *testing.T) {
	w := newWorld(t)
	early, err := w.place.Load()
	must(t, err)
	_, err = w.install()
	must(t, err)
	must(t, w.place.Save(early)) // it began before, and could not reach the region
	s, err := w.place.Load()
	must(t, err)
	f, err := s.Facts()
	must(t, err)
	if len(f.Roles) != 4 {
		t.Errorf("what was seen is forgotten: %+v", f)
	}
}

func TestProgramsThatPinTheSameRootAtOnceBothHaveIt(t *testing.T) {
	root := newTree(t).objects["trust/1.root.json"]
	for range 20 {
		place := trust.Place{Dir: filepath.Join(t.TempDir(), "trust")}
		var errs [8]error
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() { errs[i] = place.Pin(root) })
		}
		all.Wait()
		if err := errors.Join(errs[:]...); err != nil {
			t.Fatal(err)
		}
	}
}

// A script that gives hosts the publisher's newest root meets hosts that have not looked since it came, and such that are further.
func TestARootOfTheSameLineIsNoOtherRoot(t *testing.T) {
	w := newWorld(t)
	w.nextRoot(func() { w.rotate("root") })
	second := w.objects["trust/2.root.json"]
	must(t, w.place.Pin(second))
	if s, err := w.place.Load(); err != nil || string(s.Root) != string(w.objects["trust/1.root.json"]) {
		t.Errorf("the next root is read from the region: %v", err)
	}
	w.nextRoot(func() { w.rotate("timestamp") })
	w.release()
	_, err := w.install()
	must(t, err)
	must(t, w.place.Pin(second)) // between the pinned one and the newest
	other := newTree(t)
	other.nextRoot(func() { other.rotate("root") })
	for _, name := range []string{"trust/1.root.json", "trust/2.root.json"} {
		if err := w.place.Pin(other.objects[name]); !errors.Is(err, trust.ErrOtherRoot) {
			t.Errorf("another line, %s: %v", name, err)
		}
	}
}
