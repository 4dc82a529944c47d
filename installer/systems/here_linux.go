package systems

import (
	"os"

	"golang.org/x/sys/unix"
)

func (f *Facts) detect() {
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		f.Kernel = unix.ByteSliceToString(u.Release[:])
	}
	for _, file := range []string{"/etc/os-release", "/usr/lib/os-release"} {
		if text, err := os.ReadFile(file); err == nil {
			f.ID, f.Version = ParseRelease(string(text))
			return
		}
	}
}
