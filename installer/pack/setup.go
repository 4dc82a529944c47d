package pack

import (
	"io"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/manifests"
)

// setup is ssm-setup itself, as it is: one static file.
var setup = Format{
	Name: "setup", Package: SetupPackage, Programs: []string{Setup},
	File: func(p Platform) string {
		if p == Universal {
			return ""
		}
		return p.Executable(SetupPackage + "-" + p.OS + "-" + p.Arch)
	},
	Loose: setupKeys, Mode: 0o755,
	write: writeSetup,
}

// setupKeys are ssm-setup under its own name and under the one that scripts for the original ask for, in the folder of each
// family of systems (docs/protocol/update.md, "Bucket layout").
func setupKeys(p Platform) []string {
	keys := []string{manifests.Folder(p.OS, p.Arch) + "/" + p.Executable(Setup)}
	families := []string{p.OS}
	if p.OS == "linux" {
		families = append(families, "debian")
	}
	for _, family := range families {
		keys = append(keys, manifests.Folder(family, p.Arch)+"/"+p.Executable(SetupCLI))
	}
	return keys
}

func writeSetup(w io.Writer, in Input) error {
	return copyInto(w, in, filepath.Join(in.Bin, in.Platform.Executable(Setup)))
}

// copyInto writes a file as it is.
func copyInto(w io.Writer, in Input, path string) error {
	f, _, err := in.open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}
