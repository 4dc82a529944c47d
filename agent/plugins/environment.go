package plugins

import (
	"maps"
	"slices"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// environment is what a script gets, later entries win: the agent's own, the step's, then what only the agent may say
// (docs/protocol/runcommand.md, "aws:runShellScript").
func (c Call) environment(own []string, step map[string]string) []string {
	env := slices.Clone(own)
	for _, name := range slices.Sorted(maps.Keys(step)) {
		env = append(env, name+"="+step[name])
	}
	command := wire.CommandID(c.MessageID)
	if command == c.MessageID {
		command = ""
	}
	for _, e := range []struct{ name, value string }{
		{"SSM_COMMAND_ID", command},
		{"AWS_PROFILE", c.Machine.Profile},
		{"AWS_SHARED_CREDENTIALS_FILE", c.Machine.SharedCredentials},
		{"AWS_SSM_INSTANCE_ID", c.Machine.InstanceID},
		{"AWS_SSM_REGION_NAME", c.Machine.Region},
		{"AWS_SSM_PLATFORM_NAME", c.Machine.PlatformName},
		{"AWS_SSM_PLATFORM_VERSION", c.Machine.PlatformVersion},
	} {
		if e.value != "" {
			env = append(env, e.name+"="+e.value)
		}
	}
	return env
}
