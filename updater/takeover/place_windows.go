package takeover

import (
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
)

// Place is the folder of this room, beside the one of all that is Amazon's in ProgramData.
func Place(l installer.Layout) string {
	if !l.System() {
		return filepath.Join(l.Root, "ssm-setup", "takeover")
	}
	data := l.Data() // …\Amazon\SSM\InstanceData
	return filepath.Join(filepath.Dir(filepath.Dir(filepath.Dir(data))), "ssm-setup", "takeover")
}

func private(dir string) error { return host.Private(dir) }
