package launcher

import (
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
)

// Main is the whole program: args are argv, the result is the exit code.
//
// As amazon-ssm-agent without arguments, or with "service [--root DIR]", it is the service. Anything else, and any other name, is
// for the agent.
func Main(args []string) int {
	root, service, ok := parse(args)
	if !ok {
		os.Stderr.WriteString("usage: amazon-ssm-agent service [--root DIR]\n")
		return 2
	}
	paths, err := installationOf(root)
	if err != nil {
		os.Stderr.WriteString("error: cannot find the installation: " + err.Error() + "\n" +
			"hint: amazon-ssm-agent service --root DIR names it\n")
		return 1
	}
	if !service {
		return become(paths, stamp.Version(), args)
	}
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(20) // its heap is tiny; the default would let it grow to 4 MB first
	s := Service{Paths: paths, Stamp: stamp.Version(), Timing: Design(), Log: os.Stderr}
	if s.Detached, s.Instead = detachedBy(os.Getenv(detachedVariable)); s.Detached {
		_ = os.MkdirAll(paths.Logs(), 0o755)
		s.Log = rollingLog(paths.LaunchLog())
	}
	if err := s.Run(); err != nil {
		os.Stderr.WriteString("error: cannot run the service: " + err.Error() + "\n")
		return 1
	}
	return 0
}

// parse tells the service from everything that belongs to the agent. ok is false for a malformed "service".
func parse(args []string) (root string, service, ok bool) {
	if len(args) == 0 {
		return "", true, true
	}
	name := strings.TrimSuffix(filepath.Base(args[0]), ".exe")
	if name != "amazon-ssm-agent" || (len(args) > 1 && args[1] != "service") {
		return "", false, true
	}
	if len(args) <= 2 {
		return "", true, true
	}
	flag, value, joined := strings.Cut(strings.TrimPrefix(args[2], "-"), "=")
	if !joined && len(args) == 4 {
		value = args[3]
	}
	fits := len(args) == 3 && joined || len(args) == 4 && !joined
	return value, true, flag == "-root" && value != "" && fits
}

// installationOf is the installation of this program, or the one that was named.
func installationOf(root string) (pointer.Paths, error) {
	if root != "" {
		return pointer.At(root), nil
	}
	exe, err := os.Executable()
	if err != nil {
		return pointer.Paths{}, err
	}
	return pointer.Of(exe)
}
