package sign

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// sums compares the files that a SHA256SUMS lists and that lie beside it.
func sums(f *File) error {
	if f.size > maxHeader {
		return fmt.Errorf("%w: it is too big for a list", ErrBad)
	}
	checked, missing := 0, 0
	lines := bufio.NewScanner(io.NewSectionReader(f.file, 0, f.size))
	for lines.Scan() {
		want, name, ok := strings.Cut(lines.Text(), "  ")
		if !ok || len(want) != 2*sha256.Size || name == "" || name != filepath.Base(name) {
			return fmt.Errorf("%w: %.80q is no line of SHA256SUMS", ErrBad, lines.Text())
		}
		have, err := host.SHA256File(filepath.Join(filepath.Dir(f.path), name))
		if errors.Is(err, os.ErrNotExist) {
			missing++
			continue
		}
		if err != nil {
			return err
		}
		if !strings.EqualFold(have, want) {
			return fmt.Errorf("%w: %s has another SHA-256 than listed", ErrBad, name)
		}
		checked++
	}
	f.report.Note = fmt.Sprintf("%d files have the SHA-256 listed, %d are not here", checked, missing)
	return lines.Err()
}
