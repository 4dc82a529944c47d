package host

import (
	"fmt"
	"path/filepath"
	"strings"
)

// Name is one element of a path that leads nowhere else: what comes from outside (an id, the name of a step) becomes part of a path
// only as a Name. [CheckName] and [CleanName] alone make one. The zero Name stands for one that is missing; it, too, adds an element
// to a path, and so never means the folder itself.
type Name struct{ text string }

// nameError says that a text cannot be a Name.
const nameError = "cannot name a file"

// CheckName takes text as it is, or refuses it: the empty text, one that begins with a dot, or holds a separator of paths, a colon or
// a control character.
func CheckName(text string) (Name, error) {
	if text == "" || strings.HasPrefix(text, ".") || len(text) > 255 || strings.ContainsFunc(text, outside) {
		return Name{}, fmt.Errorf("%q %s", text, nameError)
	}
	return Name{text}, nil
}

func outside(r rune) bool { return strings.ContainsRune(`/\:`, r) || r < ' ' || r == 0x7f }

// CleanName makes a Name of any text: colons are left out, as the original does; other characters that a path could not hold, and
// the names "." and "..", become underscores. The empty text is the zero Name.
func CleanName(text string) Name {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == ':':
			return -1
		case outside(r):
			return '_'
		}
		return r
	}, text)
	if text == "." || text == ".." {
		text = "_"
	}
	return Name{text}
}

// String is the name.
func (n Name) String() string { return n.text }

// IsZero tells whether the name is missing.
func (n Name) IsZero() bool { return n.text == "" }

// In is the path of the name in a folder: always one element more than the folder's own.
func (n Name) In(dir string) string {
	if n.IsZero() {
		return filepath.Join(dir, "_")
	}
	return filepath.Join(dir, n.text)
}
