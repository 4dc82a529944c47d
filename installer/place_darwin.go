package installer

import "path/filepath"

// ConfigDir is the folder of the configuration and its templates: the specification's <prog>.
func (l Layout) ConfigDir() string { return l.under("opt", "aws", "ssm") }

// UpdateLock is the pid lock shared with original agents.
func (l Layout) UpdateLock() string { return filepath.Join(l.ConfigDir(), "update.lock") }

// UpdateRoot is the folder an update works in.
func (l Layout) UpdateRoot() string { return filepath.Join(l.ConfigDir(), "update") }

// Download is the folder of downloads.
func (l Layout) Download() string { return filepath.Join(l.ConfigDir(), "download") }

// RuntimeConfig is the folder of identity_config.json and its like.
func (l Layout) RuntimeConfig() string { return filepath.Join(l.ConfigDir(), "runtimeconfig") }

// Own is a folder that this product keeps beside those of the agent, by its name ([OwnOriginal], [OwnTakeover]): it is there while there is
// something in it.
func (l Layout) Own(name string) string { return l.under("var", "lib", "ssm-setup", name) }

func (l Layout) under(parts ...string) string {
	return filepath.Join(append([]string{l.Root + "/"}, parts...)...)
}

func linkNames() []string {
	return []string{"ssm-cli", "ssm-document-worker", "ssm-session-worker", "ssm-session-logger"}
}
