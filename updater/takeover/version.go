package takeover

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"github.com/ssm-setup/ssm-setup/manifests"
)

var versionPattern = regexp.MustCompile(`^\d+(\.\d+)*$`)

// longestPart bounds one number of a version, in digits.
const longestPart = 255

// parts are the numbers of a version without leading zeros (docs/protocol/update.md, "Version rules").
func parts(text string) ([]string, error) {
	text = strings.TrimSpace(text)
	if !versionPattern.MatchString(text) {
		return nil, fmt.Errorf("Invalid version string %v", text) //nolint:staticcheck // the original's words
	}
	list := strings.Split(text, ".")
	for i := range list {
		if len(list[i]) > longestPart {
			return nil, fmt.Errorf("Invalid version string %v", text) //nolint:staticcheck // the original's words
		}
		list[i] = strings.TrimLeft(list[i], "0")
	}
	return list, nil
}

// compare compares two versions by their numbers; of two of which one begins with the other, the shorter is the smaller.
func compare(a, b string) (int, error) {
	x, err := parts(a)
	if err != nil {
		return 0, err
	}
	y, err := parts(b)
	if err != nil {
		return 0, err
	}
	for i := range min(len(x), len(y)) {
		if c := cmp.Or(cmp.Compare(len(x[i]), len(y[i])), strings.Compare(x[i], y[i])); c != 0 {
			return c, nil
		}
	}
	return cmp.Compare(len(x), len(y)), nil
}

// below tells whether a version is lower than another; one that is none is not.
func below(a, b string) bool {
	c, err := compare(a, b)
	return err == nil && c < 0
}

// Bounds of the versions that are Amazon's.
const (
	firstOurs  = 9
	lowestTest = 255
)

// IsOriginal tells whether a version is one of Amazon's agent: ours begin at 9, and from 255 on they stand for tests.
func IsOriginal(v manifests.Version) bool {
	major := v.Parts()[0]
	return !v.IsZero() && (major < firstOurs || major >= lowestTest)
}

// original is [IsOriginal] of a text.
func original(text string) bool {
	v, err := manifests.ParseVersion(text)
	return err == nil && IsOriginal(v)
}
