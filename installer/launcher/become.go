package launcher

import (
	"os"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// become runs the ring's first sound agent with the same arguments in this process's place. It comes back only when there is
// none, and then can still tell its own version.
func become(p pointer.Paths, own string, args []string) int {
	state, _ := pointer.Read(p)
	for _, t := range state.Ring(facts(p, state, own)) {
		file, err := pointer.Check(p, t)
		if err != nil {
			continue
		}
		if code, err := execute(file, args); err == nil {
			return code
		}
	}
	if len(args) == 2 && (args[1] == "-version" || args[1] == "--version") {
		os.Stdout.WriteString("SSM Agent version: " + own + "\n")
		return 0
	}
	os.Stderr.WriteString("error: cannot find a sound agent in " + p.Bin() + " or " + p.StoreDir() + "\n" +
		"hint: install the package again\n")
	return 1
}
