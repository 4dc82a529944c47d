//go:build unix

package identity_test

import (
	"os"
	"testing"
)

func TestTheVaultIsForItsOwnerOnly(t *testing.T) {
	m := newMachine(t)
	m.register()
	folder := os.FileMode(0o700)
	if os.Geteuid() == 0 {
		folder = 0o600 // docs/protocol/identity.md, "Permissions of the vault"
	}
	for path, want := range map[string]os.FileMode{
		m.layout.Vault(): folder, m.file("Vault", "Store"): folder, m.file("Vault", "Manifest"): 0o600,
		m.file("Vault", "Store", "RegistrationKey"): 0o600, m.file("Vault", "Store", "InstanceFingerprint"): 0o600,
		m.layout.Registration(): 0o600,
	} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}
