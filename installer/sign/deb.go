package sign

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// member is one file of an ar archive.
type member struct {
	name string
	at   int64
	size int64
}

// members reads the table of an ar archive as Debian packages use it: short names, even places.
func members(r io.ReaderAt, size int64) ([]member, error) {
	const magic, header = 8, 60
	numbers := regexp.MustCompile(`^([0-9]+ *|-1 *| +)$`)
	var list []member
	for at := int64(magic); at < size; {
		head := make([]byte, header)
		if _, err := r.ReadAt(head, at); err != nil || string(head[58:]) != "`\n" {
			return nil, fmt.Errorf("%w: it is no whole ar archive", ErrBad)
		}
		n, err := strconv.ParseInt(strings.TrimSpace(string(head[48:58])), 10, 64)
		if err != nil || n < 0 || n > size-at-header {
			return nil, fmt.Errorf("%w: it is no whole ar archive", ErrBad)
		}
		for _, f := range [][]byte{head[16:28], head[28:34], head[34:40], head[40:48], head[48:58]} {
			if !numbers.Match(f) {
				return nil, fmt.Errorf("%w: the header of a member holds something else than numbers", ErrBad)
			}
		}
		if pad := make([]byte, 1); n%2 == 1 && at+header+n < size {
			if _, err := r.ReadAt(pad, at+header+n); err != nil || pad[0] != '\n' {
				return nil, fmt.Errorf("%w: something else lies behind a member", ErrBad)
			}
		}
		name := strings.TrimSuffix(strings.TrimRight(string(head[:16]), " "), "/")
		list = append(list, member{name, at + header, n})
		at += header + n + n%2
	}
	return list, nil
}

// deb checks the signatures inside of a Debian package (members whose names begin with _gpg, debsigs): each covers the members
// that dpkg reads, one after the other. Other members are refused: dpkg passes over some, and nothing covers them.
func deb(f *File) error {
	b := f.Bytes()
	list, err := members(b, b.Size())
	if err != nil {
		return err
	}
	var read, signatures []member
	for _, m := range list {
		switch {
		case strings.HasPrefix(m.name, "_gpg"):
			signatures = append(signatures, m)
		case len(signatures) > 0:
			return fmt.Errorf("%w: the member %q lies behind the signatures", ErrBad, m.name)
		default:
			read = append(read, m)
		}
	}
	want := []string{"debian-binary", "control.tar", "data.tar"}
	for i, m := range read {
		if len(read) != len(want) || m.name != want[i] && !strings.HasPrefix(m.name, want[i]+".") {
			return fmt.Errorf("%w: it does not consist of debian-binary, control.tar and data.tar", ErrBad)
		}
	}
	for _, s := range signatures {
		if s.size > maxSignature {
			return fmt.Errorf("%w: a signature of %d bytes", ErrBad, s.size)
		}
		sig := make([]byte, s.size)
		if _, err := f.file.ReadAt(sig, s.at); err != nil {
			return err
		}
		var parts []io.Reader
		for _, m := range read {
			parts = append(parts, io.NewSectionReader(f.file, m.at, m.size))
		}
		if err := f.OpenPGP(io.MultiReader(parts...), sig, "the package ("+printable(s.name)+")"); err != nil {
			return err
		}
	}
	return nil
}

const maxSignature = 1 << 20
