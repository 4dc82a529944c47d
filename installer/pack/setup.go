package pack

import (
	"io"
	"os"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/manifests"
)

// setup is ssm-setup itself, as it is: one static file.
var setup = Format{
	Name: "setup", Package: SetupPackage, Programs: []string{Setup},
	File:  func(p Platform) string { return p.Executable(SetupPackage + "-" + p.OS + "-" + p.Arch) },
	Loose: func(p Platform) string { return manifests.Folder(p.OS, p.Arch) + "/" + p.Executable(Setup) },
	write: writeSetup,
}

func writeSetup(w io.Writer, in Input) error {
	f, err := os.Open(filepath.Join(in.Bin, in.Platform.Executable(Setup)))
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}
