package setup

import (
	"os"
	"slices"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer"
)

// Variables that carry an activation to the installed agent's -register.
const (
	ActivationID   = "SSM_ACTIVATION_ID"
	ActivationCode = "SSM_ACTIVATION_CODE"
)

// CleanEnvironment is what programs of an installation are started with: nothing of AWS's but, under a root, a credentials file
// inside it.
func CleanEnvironment(l installer.Layout, more ...string) []string {
	env := slices.DeleteFunc(os.Environ(), func(e string) bool {
		return slices.ContainsFunc([]string{"AWS_", "SSM_ACTIVATION_", "SSM_START="}, func(p string) bool { return strings.HasPrefix(e, p) })
	})
	if !l.System() {
		env = append(env, "AWS_SHARED_CREDENTIALS_FILE="+l.Credentials())
	}
	return append(env, more...)
}
