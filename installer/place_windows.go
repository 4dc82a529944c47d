package installer

import "path/filepath"

// ConfigDir is the folder of the configuration and its templates: the specification's <prog>.
func (l Layout) ConfigDir() string {
	if l.System() {
		return l.BinDir()
	}
	return filepath.Join(l.Root, "config")
}

// UpdateLock is the pid lock shared with original agents.
func (l Layout) UpdateLock() string { return l.beside("update.lock") }

// UpdateRoot is the folder an update works in.
func (l Layout) UpdateRoot() string { return l.beside("Update") }

// Download is the folder of downloads.
func (l Layout) Download() string { return l.beside("Download") }

// RuntimeConfig is the folder of identity_config.json and its like.
func (l Layout) RuntimeConfig() string { return l.beside("runtimeconfig") }

// Own is a folder that this product keeps beside those of the agent, by its name ([OwnOriginal], [OwnTakeover]): it is there while there is
// something in it. It lies in ProgramData.
func (l Layout) Own(name string) string {
	if !l.System() {
		return filepath.Join(l.Root, "ssm-setup", name)
	}
	data := l.Data() // …\Amazon\SSM\InstanceData
	return filepath.Join(filepath.Dir(filepath.Dir(filepath.Dir(data))), "ssm-setup", name)
}

// beside is a place next to the data folder.
func (l Layout) beside(name string) string { return filepath.Join(filepath.Dir(l.Data()), name) }

// linkNames is empty: a link needs a privilege on Windows, so packages carry copies where a name is needed.
func linkNames() []string { return nil }
