package systems

import (
	"fmt"

	"golang.org/x/sys/windows"
)

func (f *Facts) detect() {
	major, minor, build := windows.RtlGetNtVersionNumbers()
	f.Version = fmt.Sprintf("%d.%d.%d", major, minor, build)
}
