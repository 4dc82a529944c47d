package host

import "strings"

// CleanEnvironment is the environment for a program of an installation, made from one that was set up for other tools:
// env without the variables of AWS's tools (AWS_…) and of an activation (SSM_ACTIVATION_…), and without those that begin with one of
// more. credentials, where it is not empty, is the file of shared credentials that the program is to use.
func CleanEnvironment(env []string, credentials string, more ...string) []string {
	out := WithoutVariables(env, append([]string{"AWS_", "SSM_ACTIVATION_"}, more...)...)
	if credentials != "" {
		out = append(out, "AWS_SHARED_CREDENTIALS_FILE="+credentials)
	}
	return out
}

// WithoutVariables is env, a list of name=value, without the entries that begin with one of the prefixes.
func WithoutVariables(env []string, prefixes ...string) []string {
	var out []string
next:
	for _, entry := range env {
		for _, prefix := range prefixes {
			if strings.HasPrefix(entry, prefix) {
				continue next
			}
		}
		out = append(out, entry)
	}
	return out
}
