package store_test

import (
	"os"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
	"github.com/ssm-setup/ssm-setup/installer/store"
)

// One slot is lost while a version is on probation: the update is confirmed or undone all the same, and the next one begins.
func TestALostSlotDoesNotKeepAnUpdateFromEnding(t *testing.T) {
	ways := map[string]func(path string) error{
		"removed":               os.Remove,
		"cut":                   func(path string) error { return os.Truncate(path, 100) },
		"a folder in its place": func(path string) error { return replaceBy(path, func() error { return os.MkdirAll(path+"/x", 0o755) }) },
	}
	for way, lose := range ways {
		for name, older := range map[string]bool{"older": true, "newer": false} {
			for _, end := range []string{"confirm", "back", "switch"} {
				t.Run(end+" with the "+name+" slot "+way, func(t *testing.T) {
					s := newStore(t)
					v2 := add(t, s, "9.2.0.0")
					var state pointer.State
					if end == "switch" {
						state = switchTo(t, s, v2, false)
					} else {
						state = switchTo(t, s, v2, true)
					}
					ok(t, lose(slotOf(t, s, state.Sequence, older)))
					endUpdate(t, s, end, state, older)
					ok(t, s.MakeSlots(floor)) // as stage does
					switchTo(t, s, add(t, s, "9.3.0.0"), false)
					for i := range 2 {
						if _, err := pointer.ReadSlot(s.Paths.Slot(i)); err != nil {
							t.Errorf("slot %d: %v", i, err)
						}
					}
				})
			}
		}
	}
}

// endUpdate ends an update where the pointer still names it.
func endUpdate(t *testing.T, s store.Store, end string, state pointer.State, older bool) {
	t.Helper()
	var err error
	switch {
	case !older: // the pointer is the one before: nothing is left to confirm or undo
	case end == "confirm":
		_, err = s.Confirm(state.Sequence)
	case end == "back":
		ok(t, s.DropTokens(state.Sequence))
		_, err = s.Back(state.Sequence, pointer.Target{})
	}
	ok(t, err)
}

// slotOf is the slot with a sequence, or the other one.
func slotOf(t *testing.T, s store.Store, sequence uint64, other bool) string {
	t.Helper()
	for i := range 2 {
		if state, err := pointer.ReadSlot(s.Paths.Slot(i)); err == nil && (state.Sequence == sequence) != other {
			return s.Paths.Slot(i)
		}
	}
	t.Fatal("no such slot")
	return ""
}

func replaceBy(path string, what func() error) error {
	if err := os.Remove(path); err != nil {
		return err
	}
	return what()
}
