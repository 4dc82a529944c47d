package runner

import (
	"os"
	"os/exec"
)

// bell: descriptors beyond the three are not handed on here; the reader looks often instead.
func bell(*exec.Cmd) (near, far *os.File, err error) { return nil, nil, nil }

func farEnd() (ring func(), gone func() bool) { return func() {}, func() bool { return true } }
