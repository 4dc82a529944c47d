// Package dist reads the folder of one version, as a build wrote it or as a mirror collected it: what is published.
//
// What must always be true: each file has the hash that the folder's manifest lists, and that agrees with SHA256SUMS; an archive holds as
// many bytes as listed; no name leads out of the folder, or out of the bucket that it goes to.
package dist

import (
	"io/fs"
	"strings"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// ErrRelease says that a folder is no release.
var ErrRelease = fault.New(fault.Usage, "not a release folder",
	"--from names what ssm-setup build wrote: dist, or dist/<version>")

// IsName tells whether a text is the name of one file, or of one folder, and no path.
func IsName(text string) bool {
	return fs.ValidPath(text) && text != "." && !strings.ContainsAny(text, `/\:`)
}
