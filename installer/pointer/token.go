package pointer

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// TokenNames are the tokens of one probation, in the order they are used up.
func TokenNames() []string { return []string{"1", "2", "3"} }

// ErrNoToken says that no token is left.
var ErrNoToken = errors.New("it was started on trial as often as it may be")

// Tokens counts the tokens left for a sequence.
func Tokens(p Paths, sequence uint64) int {
	n := 0
	for _, name := range TokenNames() {
		if _, err := os.Lstat(filepath.Join(p.Probation(sequence), name)); err == nil {
			n++
		}
	}
	return n
}

// TakeToken removes one token and syncs its folder. Only after nil may the version on probation be started.
func TakeToken(p Paths, sequence uint64) error {
	dir := p.Probation(sequence)
	for _, name := range TokenNames() {
		err := os.Remove(filepath.Join(dir, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		return host.SyncDir(dir)
	}
	return ErrNoToken
}
