// Package stamp is the version a binary of ours carries, and how to find it in a file without running it.
//
// Every binary is linked with
//
//	-ldflags "-X github.com/ssm-setup/ssm-setup/installer/stamp.mark=ssm-setup-version=9.1.0.0"
//
// The linker writes such a string with a zero byte behind it, so the file holds the marker
// "ssm-setup-version=9.1.0.0" followed by 0x00, and [Find] reads it back from any platform's binary.
// The launcher's own stamp is the version of the floor (design: floor, store, pointer, launcher).
package stamp

import (
	"bytes"
	"errors"
	"io"
	"strings"
)

// prefix is split so that this very string is not taken for a marker when a binary is searched.
const prefix = "ssm-setup-" + "version="

// Unstamped is what a binary built without a version reports.
const Unstamped = "9.0.0.0"

// mark is set by the linker, see the package comment. It is the only variable of its kind in the project.
var mark string

// Version is the four-part version this program was linked with, [Unstamped] for a plain `go build`.
func Version() string {
	if v, ok := strings.CutPrefix(mark, prefix); ok && v != "" {
		return v
	}
	return Unstamped
}

// ErrNoMarker says that a file carries no version marker: it is not a stamped binary of ours.
var ErrNoMarker = errors.New("no version marker in file")

// longest is the longest version text accepted behind the marker, in bytes.
const longest = 64

// Find reads r to its end and returns the version behind the marker. It keeps at most one block in memory.
func Find(r io.Reader) (string, error) {
	const block = 1 << 16
	keep := len(prefix) + longest + 1
	buf := make([]byte, 0, block+keep)
	for {
		n, err := io.ReadFull(r, buf[len(buf):len(buf)+block])
		buf = buf[:len(buf)+n]
		if v, ok := search(buf); ok {
			return v, nil
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return "", ErrNoMarker
		}
		if err != nil {
			return "", err
		}
		if len(buf) > keep {
			buf = append(buf[:0], buf[len(buf)-keep:]...)
		}
	}
}

// search looks for a complete marker: prefix, digits and dots, zero byte.
func search(b []byte) (string, bool) {
	for {
		i := bytes.Index(b, []byte(prefix))
		if i < 0 {
			return "", false
		}
		b = b[i+len(prefix):]
		end := bytes.IndexByte(b, 0)
		if end > 0 && end <= longest && isVersion(b[:end]) {
			return string(b[:end]), true
		}
	}
}

func isVersion(b []byte) bool {
	for _, c := range b {
		if (c < '0' || c > '9') && c != '.' {
			return false
		}
	}
	return true
}
