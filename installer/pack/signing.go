package pack

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

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

// detached are the formats that have a signature beside them too (spec update 3.5).
var detached = []string{deb.Name, rpm.Name}

// inPlace is what signs a finished file before it gets its name; nil where nothing does. ssm-setup for Windows is a copy of a
// program, and programs are signed before they are packed.
func (s Signing) inPlace(f Format, file string) func(path string) error {
	if end := filepath.Ext(file); s.Authenticode != nil && (end == ".msi" || end == ".exe") && f.Name != setup.Name {
		return s.Authenticode
	}
	return nil
}

// beside writes FILE.sig, or removes one that belongs to a file of before.
func (s Signing) beside(path string) error {
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
	_, err = whole(path+SignatureSuffix, 0o644, put(sig))
	return err
}

// Seal signs SHA256SUMS of a version's folder, or removes a signature that belongs to an earlier one. It comes last: after
// everything that adds lines to that file.
func (s Signing) Seal(dir string) error { return s.beside(filepath.Join(dir, SumsFile)) }

// programs signs the programs for Windows, in a folder of their own: given binaries are left as they are.
func (s Signing) programs(in Input, work string) (string, error) {
	if s.Authenticode == nil || in.Platform.OS != "windows" || in.Bin == "" {
		return in.Bin, nil
	}
	return inOwnFolder(in.Bin, work, func(from, to string) error {
		if _, err := whole(to, 0o755, copyOf(from)); err != nil {
			return err
		}
		if !slices.Contains([]string{Launcher, Worker, Setup}, strings.TrimSuffix(filepath.Base(from), ".exe")) {
			return nil
		}
		return s.Authenticode(to)
	})
}

func copyOf(path string) func(io.Writer) error {
	return func(w io.Writer) error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(w, f)
		return err
	}
}
