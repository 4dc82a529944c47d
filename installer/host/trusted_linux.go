package host

import (
	"os"
	"strconv"
	"strings"
)

// Trusted reports whether a process may count as one of an installation: its real, effective and saved user ids are root's or this
// process's own, it lives in the same process namespace, and its root folder is the same. What /proc says of its program alone proves
// nothing: any user can make a namespace in which another program lies at our path. Not asked are the mount namespace, which a unit of
// the service manager may have of its own, and the file, which a package may have replaced.
func Trusted(pid int) bool {
	proc := "/proc/" + strconv.Itoa(pid)
	status, err := os.ReadFile(proc + "/status")
	if err != nil || !trustedIDs(string(status), os.Geteuid()) {
		return false
	}
	own, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return false
	}
	its, err := os.Readlink(proc + "/ns/pid")
	if err != nil || its != own {
		return false
	}
	root, err := os.Stat("/")
	if err != nil {
		return false
	}
	itsRoot, err := os.Stat(proc + "/root/")
	return err == nil && os.SameFile(root, itsRoot)
}

// trustedIDs looks at the line "Uid:" of a status file: real, effective, saved and file system id.
func trustedIDs(status string, own int) bool {
	for line := range strings.Lines(status) {
		ids, ok := strings.CutPrefix(line, "Uid:")
		if !ok {
			continue
		}
		fields := strings.Fields(ids)
		if len(fields) != 4 {
			return false
		}
		for _, id := range fields[:3] {
			if id != "0" && id != strconv.Itoa(own) {
				return false
			}
		}
		return true
	}
	return false
}
