package manifests

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Version is a four-part agent version such as 9.1.0.0. The zero value is "no version". Values compare with == and with
// [Version.Compare]; missing parts are zero, so 9.1 and 9.1.0.0 are the same version. (The original's compare calls the
// shorter one smaller; published versions always have four parts.)
type Version struct {
	a, b, c, d uint32
	set        bool
}

// ErrVersion says that a text is not a version.
var ErrVersion = fault.New(fault.Usage, "not a version",
	"a version has four parts, for example 9.1.0.0; latest, stable and constraints such as '>=9.1' work too")

// maxVersionText bounds what is looked at, in bytes.
const maxVersionText = 64

// NewVersion makes a version of its parts.
func NewVersion(a, b, c, d uint32) Version { return Version{a, b, c, d, true} }

// ParseVersion reads one to four dot-separated numbers. White space around them, a leading UTF-8 byte order mark and
// leading zeros (3.3.0.06553) are accepted; anything else is ErrVersion. Names such as latest are not versions.
func ParseVersion(text string) (Version, error) {
	s := strings.TrimSpace(strings.TrimPrefix(text, "\uFEFF"))
	if s == "" || len(s) > maxVersionText {
		return Version{}, fmt.Errorf("%w: %s", ErrVersion, excerpt(text))
	}
	parts := strings.Split(s, ".")
	if len(parts) > 4 {
		return Version{}, fmt.Errorf("%w: %s has more than four parts", ErrVersion, excerpt(text))
	}
	var n [4]uint32
	for i, p := range parts {
		v, err := strconv.ParseUint(p, 10, 32)
		if err != nil || p[0] == '+' {
			return Version{}, fmt.Errorf("%w: %s", ErrVersion, excerpt(text))
		}
		n[i] = uint32(v)
	}
	return NewVersion(n[0], n[1], n[2], n[3]), nil
}

// MustVersion is for constants and tests; it panics on bad text.
func MustVersion(text string) Version {
	v, err := ParseVersion(text)
	if err != nil {
		panic(err)
	}
	return v
}

// excerpt quotes at most 40 bytes of a strange text.
func excerpt(s string) string {
	if len(s) > 40 {
		s = s[:40] + "…"
	}
	return strconv.Quote(s)
}

// IsZero tells whether there is no version.
func (v Version) IsZero() bool { return !v.set }

// String is the canonical print: always four parts, empty for no version.
func (v Version) String() string {
	if !v.set {
		return ""
	}
	return fmt.Sprintf("%d.%d.%d.%d", v.a, v.b, v.c, v.d)
}

// Parts are the four numbers.
func (v Version) Parts() [4]uint32 { return [4]uint32{v.a, v.b, v.c, v.d} }

// Compare is -1, 0 or +1; no version is smaller than any.
func (v Version) Compare(w Version) int {
	if v.set != w.set {
		if v.set {
			return 1
		}
		return -1
	}
	x, y := v.Parts(), w.Parts()
	for i := range x {
		if x[i] != y[i] {
			if x[i] < y[i] {
				return -1
			}
			return 1
		}
	}
	return 0
}

// Less is v.Compare(w) < 0.
func (v Version) Less(w Version) bool { return v.Compare(w) < 0 }

// MarshalText prints the canonical form, so versions travel as text in JSON.
func (v Version) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads a version; empty text is no version.
func (v *Version) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*v = Version{}
		return nil
	}
	parsed, err := ParseVersion(string(b))
	if err != nil {
		return err
	}
	*v = parsed
	return nil
}
