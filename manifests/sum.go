package manifests

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// ErrSum says that a text is not the SHA-256 of a file.
var ErrSum = fault.New(fault.Verify, "not a SHA-256 checksum", "a checksum has 64 hexadecimal digits; nothing is fetched without one")

// SumDigits is how many hexadecimal digits a checksum has.
const SumDigits = 64

// Sum is the SHA-256 of a file. Files are named by it, so only [ParseSum] makes one: a value of this type holds 64 lower-case
// hexadecimal digits, or nothing (the zero value: no checksum is known).
type Sum struct{ digits string }

// ParseSum reads 64 hexadecimal digits of either case, and nothing else around them. Anything else is [ErrSum].
func ParseSum(text string) (Sum, error) {
	if len(text) != SumDigits {
		return Sum{}, fmt.Errorf("%w: %s", ErrSum, excerpt(text))
	}
	if _, err := hex.DecodeString(text); err != nil {
		return Sum{}, fmt.Errorf("%w: %s", ErrSum, excerpt(text))
	}
	return Sum{strings.ToLower(text)}, nil
}

// IsZero tells whether there is no checksum.
func (s Sum) IsZero() bool { return s.digits == "" }

// String is the checksum in lower-case hex, empty for none.
func (s Sum) String() string { return s.digits }

// MarshalText prints the lower-case digits.
func (s Sum) MarshalText() ([]byte, error) { return []byte(s.digits), nil }

// UnmarshalText reads a checksum of a record. A text that is none reads as no checksum, so that one such entry does not make a
// whole record unreadable; nothing can be fetched by it.
func (s *Sum) UnmarshalText(b []byte) error {
	*s, _ = ParseSum(string(b))
	return nil
}

// Sum is the release's checksum, [ErrSum] where the manifest has none or something else in its place.
func (r FileVersion) Sum() (Sum, error) {
	s, err := ParseSum(r.Checksum)
	if err != nil {
		return s, fmt.Errorf("the manifest's entry for version %s: %w", excerpt(r.Version), err)
	}
	return s, nil
}
