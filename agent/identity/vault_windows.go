package identity

import "github.com/ssm-setup/ssm-setup/installer/host"

// harden gives the vault to the administrators and the system alone, nothing inherited (docs/protocol/identity.md,
// "Permissions of the vault").
func (v vault) harden() error {
	for _, dir := range []string{v.dir, v.store()} {
		if err := host.Private(dir); err != nil {
			return err
		}
	}
	return nil
}
