package build

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/ssm-setup/ssm-setup/installer/container/macho"
	"github.com/ssm-setup/ssm-setup/installer/pack"
)

// joined is the folder of universal programs: one that is there, or made of the halves, which are checked on their own first.
func (b *building) joined(ctx context.Context, programs []string) (string, error) {
	if b.Source == "" {
		if dir := binFolder(b.Bin, pack.Universal); dir != b.Bin || pack.IsUniversal(filepath.Join(dir, programs[0])) {
			return dir, nil
		}
	}
	var from []string
	for _, half := range pack.Halves() {
		dir := binFolder(b.Bin, half)
		if b.Source != "" {
			var err error
			if dir, err = b.linked(ctx, half, programs); err != nil {
				return "", err
			}
		}
		if err := pack.Check(pack.Input{Version: b.Version, Platform: half, Bin: dir}, programs); err != nil {
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
	return writeFile(filepath.Join(into, name), 0o755, func(w io.Writer) error { return macho.Universal(w, slices...) })
}

func containsAll(list, all []pack.Platform) bool {
	return !slices.ContainsFunc(all, func(p pack.Platform) bool { return !slices.Contains(list, p) })
}
