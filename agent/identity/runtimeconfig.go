package identity

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// runtimeConfig is identity_config.json: whose credentials are cached, where, and until when. Both agents decide from it whether
// they are still good (docs/protocol/identity.md, "Runtime config identity_config.json"). Fields in this order.
type runtimeConfig struct {
	SchemaVersion          string
	InstanceId             string
	IdentityType           string
	ShareFile              string
	ShareProfile           string
	CredentialsExpiresAt   time.Time
	CredentialsRetrievedAt time.Time
	CredentialSource       string // SSM for hybrid nodes
}

const (
	runtimeSchema = "1.1"
	sourceSSM     = "SSM"
)

// sameIdentity compares the four fields that say whose credentials these are.
func (c runtimeConfig) sameIdentity(o runtimeConfig) bool {
	return c.InstanceId == o.InstanceId && c.IdentityType == o.IdentityType && c.ShareFile == o.ShareFile && c.ShareProfile == o.ShareProfile
}

func runtimeConfigFile(dir string) string { return filepath.Join(dir, "identity_config.json") }

// readRuntimeConfig: a missing or unreadable file says nothing about credentials, which is the zero value.
func readRuntimeConfig(dir string) runtimeConfig {
	var c runtimeConfig
	data, err := os.ReadFile(runtimeConfigFile(dir))
	if err != nil || json.Unmarshal(data, &c) != nil {
		return runtimeConfig{}
	}
	return c
}

// writeRuntimeConfig writes the file with mode 0600 into a folder of 0700.
func writeRuntimeConfig(dir string, c runtimeConfig) error {
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return host.WriteFile(runtimeConfigFile(dir), data, 0o600)
}

// removeRuntimeConfig forgets cached credentials.
func removeRuntimeConfig(dir string) error {
	err := os.Remove(runtimeConfigFile(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
