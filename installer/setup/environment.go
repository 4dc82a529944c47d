package setup

import (
	"os"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
)

// Variables that carry an activation to the installed agent's -register.
const (
	ActivationID   = "SSM_ACTIVATION_ID"
	ActivationCode = "SSM_ACTIVATION_CODE"
)

// CleanEnvironment is what programs of an installation are started with: nothing of AWS's but, under a root, a credentials file
// inside it.
func CleanEnvironment(l installer.Layout, more ...string) []string {
	credentials := ""
	if !l.System() {
		credentials = l.Credentials()
	}
	return append(host.CleanEnvironment(os.Environ(), credentials, "SSM_START="), more...)
}
