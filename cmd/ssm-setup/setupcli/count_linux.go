package setupcli

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer"
)

// countLaunchers counts the processes of an installation's launcher by their executables; under a root only its own count.
func countLaunchers(l installer.Layout) (int, error) {
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		return 0, err
	}
	n := 0
	for _, link := range links {
		path, err := os.Readlink(link)
		if err != nil {
			continue // it ended, or belongs to another account
		}
		path = strings.TrimSuffix(path, " (deleted)")
		if filepath.Base(path) == filepath.Base(l.Launcher()) && (l.System() || path == l.Launcher()) {
			n++
		}
	}
	return n, nil
}
