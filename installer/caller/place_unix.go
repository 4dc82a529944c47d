//go:build unix

package caller

import (
	"os"
	"os/user"
	"path/filepath"
	"strconv"
)

func systemFolder() string { return "/etc/ssm-setup" }

const ownFolder = ".config/ssm-setup"

// home is the account's home by the user database.
func home() string {
	u, err := user.LookupId(strconv.Itoa(os.Geteuid()))
	if err != nil || !filepath.IsAbs(u.HomeDir) {
		return ""
	}
	return u.HomeDir
}

func privileged() bool { return os.Geteuid() == 0 }
