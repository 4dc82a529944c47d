package store_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
	"github.com/ssm-setup/ssm-setup/installer/store"
)

// A power cut may leave any number of bytes of the slot that was being written. Wherever it falls, one of the two pointers counts,
// and the next update works.
func TestPowerCutAtEveryByteOfASwitch(t *testing.T) {
	s := newStore(t)
	v2 := add(t, s, "9.2.0.0")
	before := snapshot(t, s)
	old, err := s.Read()
	ok(t, err)
	new := switchTo(t, s, v2, true)
	after := snapshot(t, s)
	var slot int
	for i := range 2 {
		if !bytes.Equal(before[i], after[i]) {
			slot = i
		}
	}
	if bytes.Equal(before[0], after[0]) == bytes.Equal(before[1], after[1]) {
		t.Fatal("a switch has to write exactly one slot")
	}
	for cut := range pointer.SlotSize + 1 {
		torn := append(bytes.Clone(after[slot][:cut]), before[slot][cut:]...)
		ok(t, os.WriteFile(s.Paths.Slot(slot), torn, 0o644))
		got, err := s.Read()
		if err != nil || (got != old && got != new) {
			t.Fatalf("cut at %d: %+v, %v", cut, got, err)
		}
		if cut%97 != 0 {
			continue
		}
		ok(t, s.MakeSlots("9.9.9.9"))
		if now, err := s.Read(); err != nil || now != got {
			t.Fatalf("cut at %d, repaired: %+v, %v", cut, now, err)
		}
		if got == old {
			sequence, err := s.Prepare(0)
			ok(t, err)
			_, err = s.Switch(store.Change{From: old.Sequence, Sequence: sequence, To: v2, Probation: true, Floor: floor})
			ok(t, err)
		} else {
			_, err = s.Confirm(new.Sequence)
			ok(t, err)
		}
		for i := range 2 {
			ok(t, os.WriteFile(s.Paths.Slot(i), before[i], 0o644))
		}
	}
}

func snapshot(t *testing.T, s store.Store) (out [2][]byte) {
	t.Helper()
	for i := range out {
		var err error
		out[i], err = os.ReadFile(s.Paths.Slot(i))
		ok(t, err)
	}
	return out
}

// Making the slots may stop anywhere; doing it again finishes it and never changes what is decided.
func TestSlotsAreMadeAgainWhereTheyAreMissing(t *testing.T) {
	s := newStore(t)
	switchTo(t, s, add(t, s, "9.2.0.0"), false)
	for _, slot := range []int{0, 1} {
		for _, spoil := range []func(string) error{os.Remove, empty, func(p string) error { return os.Truncate(p, 500) }} {
			whole := snapshot(t, s)
			ok(t, spoil(s.Paths.Slot(slot)))
			left, err := s.Read()
			ok(t, err)
			ok(t, s.MakeSlots("9.9.9.9"))
			if now, err := s.Read(); err != nil || now != left {
				t.Errorf("%+v became %+v, %v", left, now, err)
			}
			for i := range whole {
				ok(t, os.WriteFile(s.Paths.Slot(i), whole[i], 0o644))
			}
		}
	}
	ok(t, os.RemoveAll(s.Paths.SlotDir()))
	ok(t, s.MakeSlots(floor))
	if now, err := s.Read(); err != nil || !now.Active.IsFloor() || now.Floor != floor {
		t.Errorf("made anew: %+v, %v", now, err)
	}
}

func empty(path string) error { return os.WriteFile(path, nil, 0o644) }

// A sequence is never used twice: tokens of an update that went no further must not serve the next.
func TestSequencesOnlyGrow(t *testing.T) {
	s := newStore(t)
	v2 := add(t, s, "9.2.0.0")
	seen := map[uint64]bool{}
	for range 5 {
		sequence, err := s.Prepare(0)
		ok(t, err)
		if seen[sequence] {
			t.Fatalf("sequence %d twice", sequence)
		}
		seen[sequence] = true
	}
	if sequence, err := s.Prepare(100); err != nil || sequence != 101 {
		t.Errorf("above the ledger's: %d, %v", sequence, err)
	}
	on := switchTo(t, s, v2, true)
	if on.Sequence != 102 {
		t.Errorf("sequence %d", on.Sequence)
	}
	state, err := s.Confirm(on.Sequence)
	ok(t, err)
	ok(t, os.RemoveAll(s.Paths.SlotDir())) // the pointer is lost, tokens are not
	_, err = s.Prepare(200)
	ok(t, err)
	ok(t, s.MakeSlots(floor))
	if now, err := s.Read(); err != nil || now.Sequence <= state.Sequence {
		t.Errorf("%+v, %v", now, err)
	}
}

// An addition that stopped half way leaves nothing that could be taken for a version.
func TestAnAddThatStoppedLeavesNoVersion(t *testing.T) {
	s := newStore(t)
	half := filepath.Join(s.Paths.StoreDir(), ".new-77")
	ok(t, os.MkdirAll(half, 0o755))
	ok(t, os.WriteFile(filepath.Join(half, filepath.Base(s.Paths.Worker())), []byte("#!"), 0o755))
	ok(t, os.MkdirAll(s.Paths.Version("9.2.0.0"), 0o755)) // the name came to disk before its file did
	v2 := add(t, s, "9.2.0.0")
	if _, err := pointer.Check(s.Paths, v2); err != nil {
		t.Error(err)
	}
	_, err := s.Collect()
	ok(t, err)
	if _, err := os.Stat(half); !os.IsNotExist(err) {
		t.Errorf("half an addition is left: %v", err)
	}
}
