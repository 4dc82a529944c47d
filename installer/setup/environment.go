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

// CleanEnvironment is what programs of an installation are started with: the list of [host.CleanEnvironment] and, under a root, a
// credentials file inside it.
func CleanEnvironment(l installer.Layout, more ...string) []string {
	credentials := ""
	if !l.System() {
		credentials = l.Credentials()
	}
	return host.CleanEnvironment(os.Environ(), credentials, more...)
}

// componentVariables are what the Greengrass nucleus gives a component to sign with
// (docs/protocol/identity.md, "Edge (Greengrass) registration").
var componentVariables = []string{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
	"AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"}

// componentCredentials are those variables, for a registration with a role.
func componentCredentials() (list []string) {
	for _, name := range componentVariables {
		if value := os.Getenv(name); value != "" {
			list = append(list, name+"="+value)
		}
	}
	return list
}
