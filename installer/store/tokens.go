package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// Prepare chooses the sequence of the next pointer and makes its tokens, synced. The sequence is above every slot, every
// folder of tokens and above, the highest one the caller knows of (its ledger's; 0 if none).
func (s Store) Prepare(above uint64) (sequence uint64, err error) {
	sequence = max(s.highest(), above) + 1
	dir := s.Paths.Probation(sequence)
	if err := makeDir(dir, 0o755); err != nil {
		return 0, err
	}
	for _, name := range pointer.TokenNames() {
		if err := touch(filepath.Join(dir, name)); err != nil {
			return 0, err
		}
	}
	return sequence, host.SyncDir(dir)
}

// touch makes an empty file, synced.
func touch(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// highest is the highest sequence seen in slots and folders of tokens.
func (s Store) highest() uint64 {
	state, _ := pointer.Read(s.Paths)
	highest := state.Sequence
	for _, sequence := range s.probations() {
		highest = max(highest, sequence)
	}
	return highest
}

func (s Store) probations() []uint64 {
	entries, _ := os.ReadDir(s.Paths.ProbationDir())
	var out []uint64
	for _, e := range entries {
		if n, err := strconv.ParseUint(e.Name(), 10, 64); err == nil {
			out = append(out, n)
		}
	}
	return out
}

// DropTokens is the first step of an undo: the version on probation cannot be started again under this sequence while another
// one can. The second is to stop the agent, the third is [Store.Back].
func (s Store) DropTokens(sequence uint64) error {
	dir := s.Paths.Probation(sequence)
	for _, name := range pointer.TokenNames() {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := host.SyncDir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// collectTokens removes the folders of every sequence but the one that counts.
func (s Store) collectTokens(keep uint64) error {
	var all error
	for _, sequence := range s.probations() {
		if sequence != keep {
			all = errors.Join(all, os.RemoveAll(s.Paths.Probation(sequence)))
		}
	}
	return all
}
