//go:build unix

package identity

import (
	"os"
	"path/filepath"
)

// harden leaves the vault as the original does: as root every entry is 0600 and root's, folders included, so that only who bypasses
// the search permission enters (docs/protocol/identity.md, "Permissions of the vault"). A root without that power (a container with few
// capabilities) and other users need 0700 on folders.
func (v vault) harden() error {
	folder := os.FileMode(0o700)
	if os.Geteuid() == 0 {
		folder = 0o600
	}
	for _, dir := range []string{v.store(), v.dir} {
		if err := os.Chmod(dir, folder); err != nil {
			return err
		}
		if os.Geteuid() == 0 {
			if err := os.Chown(dir, 0, 0); err != nil {
				return err
			}
		}
	}
	if folder == 0o600 {
		if _, err := os.Stat(filepath.Join(v.dir, "Manifest")); os.IsPermission(err) {
			if err := os.Chmod(v.dir, 0o700); err != nil {
				return err
			}
			return os.Chmod(v.store(), 0o700)
		}
	}
	return nil
}
