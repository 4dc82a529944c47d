package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// MakeSlots makes what an installation has from the beginning: the two slots, both whole and synced, and the folders of locks
// and tokens. A slot that is whole stays as it is; one that is missing or torn becomes a copy of the other. floor is the version
// of the floor, written down only where there is no pointer yet. Installation and every update's stage call it.
func (s Store) MakeSlots(floor string) error {
	if err := s.makeFolders(); err != nil {
		return err
	}
	state, err := pointer.Read(s.Paths)
	if errors.Is(err, pointer.ErrNone) {
		state = pointer.State{Sequence: s.highest() + 1, Active: pointer.OnFloor(), Floor: floor}
	}
	return s.fillSlots(state)
}

// fillSlots makes the slots that are not whole copies of a state, in place of whatever lies there.
func (s Store) fillSlots(state pointer.State) error {
	data, err := state.Encode()
	if err != nil {
		return err
	}
	var slots []string
	for i := range 2 {
		isLost, err := lost(s.Paths.Slot(i))
		if err != nil {
			return err
		}
		if isLost {
			slots = append(slots, s.Paths.Slot(i))
		}
	}
	for _, slot := range slots {
		if info, err := os.Lstat(slot); err == nil && !info.Mode().IsRegular() {
			if err := os.RemoveAll(slot); err != nil {
				return err
			}
		}
		if err := host.WriteFile(slot, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// writeOn is write for what ends an update or follows what runs: a slot that was lost is made again first, from the one that is left.
// A pointer that could not be written would keep an update from ending. A switch, which may as well not happen, does without.
func (s Store) writeOn(from uint64, next pointer.State) error {
	state, err := pointer.Read(s.Paths)
	if err != nil {
		return err
	}
	if err := s.fillSlots(state); err != nil {
		return err
	}
	return s.write(from, next)
}

func (s Store) makeFolders() error {
	for _, dir := range []string{s.Paths.SlotDir(), s.Paths.ProbationDir()} {
		if err := makeDir(dir, 0o755); err != nil {
			return err
		}
	}
	for _, dir := range []string{s.Paths.LauncherLock(), s.Paths.AgentLock(), s.Paths.UpdaterLock()} {
		if err := makeDir(dir, 0o700); err != nil {
			return err
		}
	}
	return nil
}

// lost tells a slot that is not there, torn, or replaced by a folder. An error is of a disk that cannot be read.
func lost(slot string) (bool, error) {
	_, err := pointer.ReadSlot(slot)
	if err == nil {
		return false, nil
	}
	if info, e := os.Lstat(slot); e == nil && info.IsDir() || missing(err) {
		return true, nil
	}
	return false, err
}

// missing tells slots that are not there, or torn, from a disk that cannot be read.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, pointer.ErrSlot)
}

// write replaces the pointer that has the sequence from. It overwrites the slot that does not count.
func (s Store) write(from uint64, next pointer.State) error {
	slot, now, err := s.older()
	if err != nil {
		return err
	}
	if now != from {
		return fmt.Errorf("%w: it is at change %d, to be replaced was %d", ErrMoved, now, from)
	}
	if next.Sequence <= now {
		return fmt.Errorf("%w: %d does not follow %d", ErrMoved, next.Sequence, now)
	}
	data, err := next.Encode()
	if err != nil {
		return err
	}
	return overwrite(s.Paths.Slot(slot), data)
}

// older is the slot to overwrite, and the sequence that counts now. Both slots have to be there with their full size.
func (s Store) older() (slot int, now uint64, err error) {
	var sequence [2]uint64
	for i := range 2 {
		info, err := os.Stat(s.Paths.Slot(i))
		if err != nil || !info.Mode().IsRegular() || info.Size() != pointer.SlotSize {
			return 0, 0, fmt.Errorf("%w: %s", ErrSlots, s.Paths.Slot(i))
		}
		state, err := pointer.ReadSlot(s.Paths.Slot(i))
		if err != nil && !errors.Is(err, pointer.ErrSlot) {
			return 0, 0, err
		}
		sequence[i] = state.Sequence
	}
	if sequence[0] == 0 && sequence[1] == 0 {
		return 0, 0, ErrSlots
	}
	if sequence[0] < sequence[1] {
		return 0, sequence[1], nil
	}
	return 1, sequence[0], nil
}

// overwrite puts data over a file in place and syncs it: no new block, no new name. File systems that take new blocks all the
// same get some more chances.
func overwrite(path string, data []byte) (err error) {
	for range 5 {
		if err = overwriteOnce(path, data); !errors.Is(err, syscall.ENOSPC) {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}

func overwriteOnce(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.WriteAt(data, 0); err != nil {
		return err
	}
	return f.Sync()
}
