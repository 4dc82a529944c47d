package systems

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// ErrUnsupported says that the agent does not run on a system.
var ErrUnsupported = fault.New(fault.Refused, "this system is not supported",
	"the README lists the supported systems")

// Facts are what a machine says about itself.
type Facts struct {
	OS      string // Go's name
	Kernel  string // Linux: as uname -r prints it; empty: not known
	ID      string // Linux: of /etc/os-release
	Version string // VERSION_ID; 10.0.17763 on Windows; 14.5 on macOS; empty: not known
}

// Check says why a machine cannot run the agent.
func Check(f Facts) error {
	if f.OS == "linux" && f.Kernel != "" && older(f.Kernel, Kernel) {
		return fmt.Errorf("%w: kernel %s is older than %s", ErrUnsupported, f.Kernel, Kernel)
	}
	for _, s := range Table() {
		if s.OS != f.OS || s.ID != f.ID {
			continue
		}
		if s.Refused != "" {
			return fmt.Errorf("%w: %s: %s", ErrUnsupported, s.Name, s.Refused)
		}
		retired, _ := path.Match(s.Retired, f.Version)
		if f.Version != "" && (retired || older(f.Version, s.From)) {
			return fmt.Errorf("%w: %s %s is older than %s", ErrUnsupported, s.Name, f.Version, s.From)
		}
	}
	return nil
}

// older compares up to three numbers; what follows digits in a part does not count.
func older(have, least string) bool {
	h, l := numbers(have), numbers(least)
	for i := range l {
		if h[i] != l[i] {
			return h[i] < l[i]
		}
	}
	return false
}

func numbers(text string) (n [3]int) {
	for i, part := range strings.SplitN(text, ".", 4)[:min(3, strings.Count(text, ".")+1)] {
		end := strings.IndexFunc(part, func(r rune) bool { return r < '0' || r > '9' })
		if end < 0 {
			end = len(part)
		}
		n[i], _ = strconv.Atoi(part[:end])
		if end < len(part) {
			break
		}
	}
	return n
}

// ParseRelease reads ID and VERSION_ID of an os-release file.
func ParseRelease(text string) (id, version string) {
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		value = strings.Trim(value, `"'`)
		switch key {
		case "ID":
			id = value
		case "VERSION_ID":
			version = value
		}
	}
	return id, version
}
