package launcher

import (
	"os"
	"strconv"
)

// foreign reports whether a process runs a program that is not of ours.
func foreign(pid int) bool {
	f, err := os.Open("/proc/" + strconv.Itoa(pid) + "/exe")
	if err != nil {
		return false
	}
	defer f.Close()
	ours, err := marked(f)
	return err == nil && !ours
}
