package launcher

import (
	"os"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
)

// facts gathers what the ring's order depends on. The floor's agent is read only where its stamp can matter.
func facts(p pointer.Paths, s pointer.State, own string) pointer.Facts {
	f := pointer.Facts{Floor: own, Tokens: len(pointer.TokenNames())}
	if s.FloorFirst(own) {
		f.Whole = carries(p.Worker(), own)
	}
	if s.Probation {
		f.Tokens = pointer.Tokens(p, s.Sequence)
	}
	return f
}

// carries reports whether a program has this version's stamp.
func carries(file, version string) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	found, err := stamp.Find(f)
	return err == nil && found == version
}
