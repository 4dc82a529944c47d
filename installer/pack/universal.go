package pack

import (
	"context"
	stdmacho "debug/macho"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/ssm-setup/ssm-setup/installer/pack/macho"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
)

// universal stands for programs that hold both architectures of macOS; only the package for people is made of them.
var universal = Platform{"darwin", "universal"}

// halves are what universal programs are made of, in the order of the slices.
var halves = []Platform{{"darwin", "amd64"}, {"darwin", "arm64"}}

// joined is the folder of universal programs: one that is there, or made of the halves, which are checked on their own first.
func (b *building) joined(ctx context.Context, programs []string) (string, error) {
	if b.Source == "" {
		if dir := binFolder(b.Bin, universal); dir != b.Bin || isUniversal(filepath.Join(dir, programs[0])) {
			return dir, nil
		}
	}
	var from []string
	for _, half := range halves {
		dir := binFolder(b.Bin, half)
		if b.Source != "" {
			var err error
			if dir, err = b.linked(ctx, half, programs); err != nil {
				return "", err
			}
		}
		if err := Check(Input{Version: b.Version, Platform: half, Bin: dir}, programs); err != nil {
			return "", err
		}
		from = append(from, dir)
	}
	into := filepath.Join(b.work, "darwin_universal")
	if err := os.MkdirAll(into, 0o755); err != nil {
		return "", err
	}
	for _, name := range programs {
		if err := join(name, into, from); err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
	}
	return into, nil
}

// join makes one universal program.
func join(name, into string, from []string) error {
	var slices []*io.SectionReader
	for _, dir := range from {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return err
		}
		slices = append(slices, io.NewSectionReader(f, 0, info.Size()))
	}
	_, err := whole(filepath.Join(into, name), 0o755, func(w io.Writer) error { return macho.Universal(w, slices...) })
	return err
}

// isUniversal tells whether a file holds programs for both architectures.
func isUniversal(path string) bool {
	f, err := stdmacho.OpenFat(path)
	if err != nil {
		return false
	}
	defer f.Close()
	return len(f.Arches) == len(halves) && !slices.ContainsFunc(f.Arches, func(a stdmacho.FatArch) bool { return machoArch[a.Cpu] == "" })
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
	if p != universal {
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

func containsAll(list, all []Platform) bool {
	return !slices.ContainsFunc(all, func(p Platform) bool { return !slices.Contains(list, p) })
}
