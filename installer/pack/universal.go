package pack

import (
	stdmacho "debug/macho"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/ssm-setup/ssm-setup/installer/container/macho"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
)

// Universal stands for programs that hold both architectures of macOS; only the package for people is made of them.
var Universal = Platform{"darwin", "universal"}

// Halves are what universal programs are made of, in the order of the slices.
func Halves() []Platform { return []Platform{{"darwin", "amd64"}, {"darwin", "arm64"}} }

// IsUniversal tells whether a file holds programs for both architectures.
func IsUniversal(path string) bool {
	f, err := stdmacho.OpenFat(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	return len(f.Arches) == len(Halves()) && !slices.ContainsFunc(f.Arches, func(a stdmacho.FatArch) bool { return machoArch[a.Cpu] == "" })
}

// checkSignature looks at what macOS asks of a program: one for Apple silicon is signed, ad hoc at least, and not a byte of it
// has changed since. Both slices of a universal one must be of the same version.
func checkSignature(path string, p Platform) error {
	if p.OS != "darwin" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if p != Universal {
		return signedFor(path, p.Arch, f)
	}
	fat, err := stdmacho.NewFatFile(f)
	if err != nil {
		return err
	}
	versions := map[string]bool{}
	for _, a := range fat.Arches {
		slice := io.NewSectionReader(f, int64(a.Offset), int64(a.Size))
		v, err := stamp.Find(slice)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrVersion, path, err)
		}
		versions[v] = true
		if err := signedFor(path, machoArch[a.Cpu], slice); err != nil {
			return err
		}
	}
	if len(versions) != 1 {
		return fmt.Errorf("%w: the slices of %s are of different versions", ErrVersion, path)
	}
	return nil
}

func signedFor(path, arch string, program io.ReaderAt) error {
	_, err := macho.Check(program)
	if errors.Is(err, macho.ErrUnsigned) && arch == "amd64" {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrPlatform, path, err)
	}
	return nil
}
