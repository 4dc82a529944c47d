package pack

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pack/xar"
)

// Signing is how a build signs; what is nil is not signed. The functions may be called at the same time. See installer/sign.
type Signing struct {
	OpenPGP      func(io.Reader) ([]byte, error) // a binary detached signature: deb, rpm, and files FILE.sig
	Authenticode func(path string) error         // signs a program or MSI where it lies
	Xar          func() ([]xar.Signature, error) // of a pkg
}

// SignatureSuffix is behind a file's name in the name of its detached OpenPGP signature.
const SignatureSuffix = ".sig"

// detached are the formats that have a signature beside them too (docs/protocol/update.md, "Signature check").
var detached = []string{deb.Name, rpm.Name}

// inPlace is what signs a finished file before it gets its name; nil where nothing does. ssm-setup for Windows is a copy of a
// program, and programs are signed before they are packed.
func (s Signing) inPlace(f Format, file string) func(path string) error {
	if end := filepath.Ext(file); s.Authenticode != nil && (end == ".msi" || end == ".exe") && f.Name != setup.Name {
		return s.Authenticode
	}
	return nil
}

// Beside writes FILE.sig, or removes one that belongs to an earlier file of that name.
func (s Signing) Beside(path string) error {
	if s.OpenPGP == nil {
		if err := os.Remove(path + SignatureSuffix); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	sig, err := s.OpenPGP(f)
	if err != nil {
		return err
	}
	return host.WriteFile(path+SignatureSuffix, sig, 0o644)
}
