package build

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/pack"
)

// Seal signs SHA256SUMS of a version's folder, or removes a signature that belongs to an earlier one. It comes last: after
// everything that adds lines to that file.
func Seal(s pack.Signing, dir string) error { return s.Beside(filepath.Join(dir, SumsFile)) }

// signed signs the programs for Windows, in a folder of their own: given binaries are left as they are.
func signed(in pack.Input, work string) (string, error) {
	sign := in.Signing.Authenticode
	if sign == nil || in.Platform.OS != "windows" || in.Bin == "" {
		return in.Bin, nil
	}
	return inOwnFolder(in.Bin, work, func(from, to string) error {
		if err := writeFile(to, 0o755, copyOf(from)); err != nil {
			return err
		}
		if !slices.Contains([]string{pack.Launcher, pack.Worker, pack.Setup}, strings.TrimSuffix(filepath.Base(from), ".exe")) {
			return nil
		}
		return sign(to)
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
