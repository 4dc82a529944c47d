//go:build unix

package store_test

import (
	"errors"
	"io/fs"
	"os"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

func TestModesAreSetWhateverTheUmask(t *testing.T) {
	s := newStore(t)
	if info, err := os.Stat(s.Paths.AgentLock()); err != nil || info.Mode() != fs.ModeDir|0o700 {
		t.Errorf("lock folder: %v, %v", info, err)
	}
	v2 := add(t, s, "9.2.0.0")
	if info, err := os.Stat(s.Paths.File(v2)); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("program: %v, %v", info, err)
	}
	ok(t, os.Chmod(s.Paths.File(v2), 0o777))
	if _, err := s.Switch(change(t, s, v2, true)); !errors.Is(err, pointer.ErrUnsound) {
		t.Errorf("switched to a program that any account may write: %v", err)
	}
	if now, err := s.Read(); err != nil || !now.Active.IsFloor() {
		t.Errorf("the pointer moved: %+v, %v", now, err)
	}
}

// What the floor keeps of itself takes no room.
func TestAKeptFloorIsALink(t *testing.T) {
	s := newStore(t)
	kept, err := s.KeepFloor(floor)
	ok(t, err)
	one, err := os.Stat(s.Paths.Worker())
	ok(t, err)
	two, err := os.Stat(s.Paths.File(kept))
	ok(t, err)
	if !os.SameFile(one, two) {
		t.Error("not a link")
	}
}
