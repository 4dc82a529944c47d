package caller

import (
	"os/user"
	"path/filepath"

	"golang.org/x/sys/windows"
)

const ownFolder = `AppData\Roaming\ssm-setup`

// systemFolder is what the system says, for the environment may say otherwise.
func systemFolder() string {
	dir, err := windows.KnownFolderPath(windows.FOLDERID_ProgramData, windows.KF_FLAG_DEFAULT)
	if err != nil || dir == "" {
		dir = `C:\ProgramData`
	}
	return filepath.Join(dir, "ssm-setup")
}

// home is the folder of the account's profile.
func home() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.HomeDir
}

func privileged() bool { return windows.GetCurrentProcessToken().IsElevated() }
