package manifests

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// MaxVersionFile is the most bytes a VERSION file may have; a longer answer is something else.
const MaxVersionFile = 1024

// ErrVersionFile says that what came as a VERSION file is not one, for example the HTML page of a proxy.
var ErrVersionFile = fault.New(fault.Region, "not a VERSION file",
	"the region's VERSION file is damaged, or a proxy answers in its place")

// ParseVersionFile reads the content of latest/VERSION or stable/VERSION: one version of four parts on one line. A byte
// order mark, surrounding white space and line ends are accepted. HTML, more than one line, or a version with other than
// four parts is refused: a short version (3.2.2303) most often means a cut-off answer.
func ParseVersionFile(content []byte) (Version, error) {
	if len(content) > MaxVersionFile {
		return Version{}, fmt.Errorf("%w: %d bytes, at most %d expected", ErrVersionFile, len(content), MaxVersionFile)
	}
	s := strings.TrimSpace(strings.TrimPrefix(string(content), "\uFEFF"))
	switch {
	case s == "":
		return Version{}, fmt.Errorf("%w: it is empty", ErrVersionFile)
	case strings.HasPrefix(s, "<"):
		return Version{}, fmt.Errorf("%w: it is an HTML or XML page (a proxy or login page?)", ErrVersionFile)
	case bytes.ContainsAny([]byte(s), "\r\n"):
		return Version{}, fmt.Errorf("%w: it has more than one line", ErrVersionFile)
	case strings.Count(s, ".") != 3:
		return Version{}, fmt.Errorf("%w: %s does not have four parts", ErrVersionFile, excerpt(s))
	}
	v, err := ParseVersion(s)
	if err != nil {
		return Version{}, fmt.Errorf("%w: %w", ErrVersionFile, err)
	}
	return v, nil
}
