//go:build unix

package host

import (
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// systemPath is the search path that service managers give to services.
const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// systemEnvironment is what the system itself says. An account that is not in the user database has no HOME and no USER.
func systemEnvironment() []string {
	out := []string{"PATH=" + systemPath}
	if account, err := user.LookupId(strconv.Itoa(os.Geteuid())); err == nil {
		out = append(out, "HOME="+account.HomeDir, "USER="+account.Username)
	}
	return out
}

// ServiceMask sets the umask under which an installation's files and programs are made, whatever that of the calling shell: folders
// that are shared with other software can be read by all, and none but the owner writes. The function it returns brings the former
// one back.
func ServiceMask() (restore func()) {
	former := syscall.Umask(0o022)
	return func() { syscall.Umask(former) }
}
