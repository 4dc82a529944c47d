package host

import (
	"path/filepath"
	"strings"

	"golang.org/x/sys/windows"
)

// systemEnvironment is the block that the system keeps for services, without what the account that installs has set, and that
// account's profile.
func systemEnvironment() []string {
	own := windows.GetCurrentProcessToken()
	var out []string
	if block, err := windows.Token(0).Environ(false); err == nil {
		for _, entry := range block {
			if name, value, _ := strings.Cut(entry, "="); !allowed(name, value) && (own.IsElevated() || !isTemp(name)) {
				out = append(out, entry)
			}
		}
	} else if dir, err := windows.GetSystemDirectory(); err == nil {
		root := filepath.Dir(dir)
		out = append(out, "SystemRoot="+root, "windir="+root, "PATH="+dir+";"+root)
	}
	profile, err := own.GetUserProfileDirectory()
	if err != nil {
		return out
	}
	out = append(out, "USERPROFILE="+profile)
	if !own.IsElevated() { // the system's folder for temporary files is not this account's
		temp := filepath.Join(profile, "AppData", "Local", "Temp")
		out = append(out, "TEMP="+temp, "TMP="+temp)
	}
	return out
}

// isTemp tells whether a variable names the folder for temporary files.
func isTemp(name string) bool {
	return strings.EqualFold(name, "TEMP") || strings.EqualFold(name, "TMP")
}

// ServiceMask does nothing: folders here inherit their access lists.
func ServiceMask() (restore func()) { return func() {} }
