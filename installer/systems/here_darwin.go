package systems

import "golang.org/x/sys/unix"

func (f *Facts) look() { f.Version, _ = unix.Sysctl("kern.osproductversion") }
