package systems

import "golang.org/x/sys/unix"

func (f *Facts) detect() { f.Version, _ = unix.Sysctl("kern.osproductversion") }
