package store_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
	"github.com/ssm-setup/ssm-setup/installer/store"
)

const floor = "9.1.0.0"

func newStore(t *testing.T) store.Store {
	t.Helper()
	s := store.Store{Paths: pointer.At(filepath.Join(t.TempDir(), "root"))}
	ok(t, os.MkdirAll(s.Paths.Bin(), 0o755))
	ok(t, os.WriteFile(s.Paths.Worker(), []byte(program(floor)), 0o755))
	ok(t, s.MakeSlots(floor))
	return s
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func program(version string) string { return "#!/bin/sh\n# " + version + "\n" }

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func add(t *testing.T, s store.Store, version string) pointer.Target {
	t.Helper()
	v, err := s.Add(version, strings.NewReader(program(version)), hash(program(version)))
	ok(t, err)
	return v
}

// change prepares a switch to a version.
func change(t *testing.T, s store.Store, to pointer.Target, probation bool) store.Change {
	t.Helper()
	old, err := s.Read()
	ok(t, err)
	sequence, err := s.Prepare(0)
	ok(t, err)
	return store.Change{From: old.Sequence, Sequence: sequence, To: to, Probation: probation, Floor: floor}
}

func switchTo(t *testing.T, s store.Store, to pointer.Target, probation bool) pointer.State {
	t.Helper()
	state, err := s.Switch(change(t, s, to, probation))
	ok(t, err)
	return state
}

func TestAnUpdateIsConfirmedAndTheNextUndone(t *testing.T) {
	s := newStore(t)
	v2, v3 := add(t, s, "9.2.0.0"), add(t, s, "9.3.0.0")
	first := switchTo(t, s, v2, true)
	if first.Active != v2 || !first.Previous.IsFloor() || !first.Probation || first.Floor != floor {
		t.Errorf("on probation: %+v", first)
	}
	confirmed, err := s.Confirm(first.Sequence)
	ok(t, err)
	if confirmed.Active != v2 || confirmed.Probation || confirmed.Sequence <= first.Sequence {
		t.Errorf("confirmed: %+v", confirmed)
	}
	if n := pointer.Tokens(s.Paths, first.Sequence); n != 0 {
		t.Errorf("%d tokens left", n)
	}
	second := switchTo(t, s, v3, true)
	ok(t, s.DropTokens(second.Sequence))
	back, err := s.Back(second.Sequence, confirmed.Previous)
	ok(t, err)
	if back.Active != v2 || !back.Previous.IsFloor() || back.Probation || back.Sequence <= second.Sequence {
		t.Errorf("back: %+v", back)
	}
	if now, err := s.Read(); err != nil || now != back {
		t.Errorf("read: %+v, %v", now, err)
	}
}

func TestGoingBackNeedsNoProbation(t *testing.T) {
	s := newStore(t)
	v2 := add(t, s, "9.2.0.0")
	_, err := s.Confirm(switchTo(t, s, v2, true).Sequence)
	ok(t, err)
	state := switchTo(t, s, pointer.OnFloor(), false)
	if !state.Active.IsFloor() || state.Previous != v2 || state.Probation {
		t.Errorf("%+v", state)
	}
}

func TestASwitchIsRefusedWithoutItsConditions(t *testing.T) {
	s := newStore(t)
	v2 := add(t, s, "9.2.0.0")
	for name, c := range map[string]struct {
		spoil func(c *store.Change) error
		want  error
	}{
		"another pointer": {func(c *store.Change) error { c.From++; return nil }, store.ErrMoved},
		"an old sequence": {func(c *store.Change) error { c.Sequence = c.From; c.Probation = false; return nil }, store.ErrMoved},
		"no tokens":       {func(c *store.Change) error { return s.DropTokens(c.Sequence) }, pointer.ErrNoToken},
		"a missing slot":  {func(*store.Change) error { return os.Remove(s.Paths.Slot(0)) }, store.ErrSlots},
		"a short slot":    {func(*store.Change) error { return os.Truncate(s.Paths.Slot(1), 10) }, store.ErrSlots},
		"another hash":    {func(c *store.Change) error { c.To.Hash = hash("x"); return nil }, pointer.ErrUnsound},
		"unknown version": {func(c *store.Change) error { c.To.Version = "9.9.0.0"; return nil }, os.ErrNotExist},
		"not even one":    {func(c *store.Change) error { c.To.Version = "../9.2.0.0"; return nil }, pointer.ErrUnsound},
		"no slots at all": {func(*store.Change) error { return os.RemoveAll(s.Paths.SlotDir()) }, store.ErrSlots},
	} {
		t.Run(name, func(t *testing.T) {
			ok(t, s.MakeSlots(floor))
			before, err := s.Read()
			ok(t, err)
			ch := change(t, s, v2, true)
			ok(t, c.spoil(&ch))
			if _, err := s.Switch(ch); !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
			ok(t, s.MakeSlots(floor))
			if now, err := s.Read(); err != nil || now.Active != before.Active || now.Probation {
				t.Errorf("the pointer moved: %+v, %v", now, err)
			}
		})
	}
	on := switchTo(t, s, v2, true)
	if _, err := s.Switch(change(t, s, pointer.OnFloor(), false)); !errors.Is(err, store.ErrProbation) {
		t.Errorf("while on probation: %v", err)
	}
	if _, err := s.Confirm(on.Sequence - 1); !errors.Is(err, store.ErrMoved) {
		t.Errorf("another sequence confirmed: %v", err)
	}
	_, err := s.Confirm(on.Sequence)
	ok(t, err)
	if _, err := s.Confirm(on.Sequence); !errors.Is(err, store.ErrMoved) {
		t.Errorf("confirmed twice: %v", err)
	}
	if _, err := s.Back(on.Sequence, pointer.Target{}); !errors.Is(err, store.ErrMoved) {
		t.Errorf("undone after it was confirmed: %v", err)
	}
}

func TestAnAddedVersionHasThePromisedHash(t *testing.T) {
	s := newStore(t)
	v2 := add(t, s, "9.2.0.0")
	if again := add(t, s, "9.2.0.0"); again != v2 {
		t.Errorf("added twice: %+v", again)
	}
	if _, err := s.Add("9.2.0.0/../../x", strings.NewReader("x"), hash("x")); err == nil {
		t.Error("a path was taken for a version")
	}
	if _, err := s.Add("9.3.0.0", strings.NewReader("x"), hash("y")); !errors.Is(err, store.ErrHash) {
		t.Errorf("wrong content: %v", err)
	}
	if _, err := s.Add("9.3.0.0", io.MultiReader(strings.NewReader("x"), broken{}), hash("x")); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("broken source: %v", err)
	}
	entries, err := os.ReadDir(s.Paths.StoreDir())
	ok(t, err)
	if len(entries) != 1 {
		t.Errorf("something was left behind: %v", entries)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestAnAddReplacesOnlyWhatIsNotNeeded(t *testing.T) {
	s := newStore(t)
	add(t, s, "9.2.0.0")
	other := "another build"
	v2, err := s.Add("9.2.0.0", strings.NewReader(other), hash(other))
	ok(t, err)
	_, err = s.Confirm(switchTo(t, s, v2, true).Sequence)
	ok(t, err)
	if _, err := s.Add("9.2.0.0", strings.NewReader(program("9.2.0.0")), hash(program("9.2.0.0"))); !errors.Is(err, store.ErrInUse) {
		t.Errorf("the active version was replaced: %v", err)
	}
	// Repairing the active version with its own content is allowed.
	ok(t, os.WriteFile(s.Paths.File(v2), []byte("rotten"), 0o755))
	v, err := s.Add("9.2.0.0", strings.NewReader(other), hash(other))
	if err != nil || v != v2 {
		t.Errorf("repair: %+v, %v", v, err)
	}
}

func TestWhatIsNotNamedIsCollected(t *testing.T) {
	s := newStore(t)
	for _, v := range []string{"9.2.0.0", "9.3.0.0", "9.4.0.0", "9.5.0.0"} {
		_, err := s.Confirm(switchTo(t, s, add(t, s, v), true).Sequence)
		ok(t, err)
	}
	_, err := s.Prepare(0) // of an update that went no further
	ok(t, err)
	ok(t, os.MkdirAll(filepath.Join(s.Paths.StoreDir(), ".new-1234"), 0o755))
	ok(t, os.MkdirAll(filepath.Join(s.Paths.StoreDir(), "notes"), 0o755))
	removed, err := s.Collect()
	ok(t, err)
	if !slices.Equal(removed, []string{"9.2.0.0", "9.3.0.0"}) {
		t.Errorf("removed %v", removed)
	}
	var left []string
	for _, dir := range []string{s.Paths.StoreDir(), s.Paths.ProbationDir()} {
		entries, err := os.ReadDir(dir)
		ok(t, err)
		for _, e := range entries {
			left = append(left, e.Name())
		}
	}
	if !slices.Equal(left, []string{"9.4.0.0", "9.5.0.0", "notes"}) {
		t.Errorf("left %v", left)
	}
}

func TestAFloorIsKeptBeforeItIsReplaced(t *testing.T) {
	s := newStore(t)
	kept, err := s.KeepFloor(floor)
	ok(t, err)
	// A package puts a broken floor in its place, as package managers do: by another file of the same name.
	ok(t, os.Remove(s.Paths.Worker()))
	ok(t, os.WriteFile(s.Paths.Worker(), []byte("broken"), 0o755))
	state, err := s.Read()
	ok(t, err)
	ring := state.Ring(pointer.Facts{Floor: "9.2.0.0", Whole: true})
	if !slices.Equal(ring, []pointer.Target{pointer.OnFloor(), kept}) {
		t.Errorf("ring %+v", ring)
	}
	if _, err := pointer.Check(s.Paths, kept); err != nil {
		t.Error(err)
	}
	// Over a version in the store there is something to fall back to already.
	_, err = s.Confirm(switchTo(t, s, add(t, s, "9.5.0.0"), true).Sequence)
	ok(t, err)
	if kept, err := s.KeepFloor("9.2.0.0"); err != nil || !kept.IsZero() {
		t.Errorf("%+v, %v", kept, err)
	}
}

func TestThePointerFollowsAProvedFallBack(t *testing.T) {
	s := newStore(t)
	v2 := add(t, s, "9.2.0.0")
	on := switchTo(t, s, v2, true)
	state, err := s.Align(on.Sequence, pointer.OnFloor(), v2, floor)
	ok(t, err)
	if !state.Active.IsFloor() || state.SetAside != v2 || state.Probation || state.Floor != floor {
		t.Errorf("%+v", state)
	}
	state = switchTo(t, s, v2, true)
	if !state.SetAside.IsZero() {
		t.Errorf("still set aside: %+v", state)
	}
}
