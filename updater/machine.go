package updater

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// System is what the engine asks of the system, as functions so that tests can play one.
type System struct {
	Launcher func() (pid int, running bool)
	Agent    func() (pid int, running bool)
	// StopAgent has a process leave, if need be by force, if it is the running agent; another one is not touched.
	StopAgent func(ctx context.Context, pid int) error
	Program   func(pid int) (path string, err error) // that a process runs
	Revive    func() (pid int, err error)            // a launcher that died where no service manager would start it again; 0: nothing to do
	Unmanaged func() bool                            // no service manager would start a launcher that died; may be nil
	Floor     func() (manifests.Version, error)
	Free      func(path string) (uint64, error)
	Try       func(ctx context.Context, program string, args ...string) (output string, err error)
	Boot      string // boot id; empty where the system has none
}

// leaveWithin is how long an agent may take to leave before it is killed.
const leaveWithin = 5 * time.Second

// ThisSystem is the real one.
func ThisSystem(l installer.Layout) System {
	boot, _ := host.BootID()
	return System{
		Launcher: func() (int, bool) { return launcher.Running(l.Pointer()) },
		Agent:    func() (int, bool) { return launcher.AgentRunning(l.Pointer()) },
		StopAgent: func(ctx context.Context, pid int) error {
			return launcher.StopAgent(ctx, l.Pointer(), pid, leaveWithin)
		},
		Program:   host.ProcessExecutable,
		Revive:    func() (int, error) { return launcher.Revive(l.Pointer()) },
		Unmanaged: func() bool { return launcher.Unmanaged(l.Pointer()) },
		Floor:     func() (manifests.Version, error) { return floorOf(l) },
		Free:      host.FreeBytes,
		Try:       try,
		Boot:      boot,
	}
}

// floorOf is the version a package installed: the launcher's own stamp.
func floorOf(l installer.Layout) (manifests.Version, error) {
	f, err := os.Open(l.Launcher())
	if err != nil {
		return manifests.Version{}, err
	}
	defer f.Close()
	text, err := stamp.Find(f)
	if err != nil {
		return manifests.Version{}, fmt.Errorf("%s: %w", l.Launcher(), err)
	}
	return manifests.ParseVersion(text)
}

// tryFor is how long a program may take to state its version or to test itself.
const tryFor = 30 * time.Second

// try runs a program as amazon-ssm-agent would, in a session of its own, and returns what it printed, at most 64 KiB.
func try(ctx context.Context, program string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, tryFor)
	defer cancel()
	var out limited
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Args[0] = "amazon-ssm-agent" // that name takes flags and words alike
	cmd.Env = host.CleanEnvironment(os.Environ(), os.Getenv("AWS_SHARED_CREDENTIALS_FILE"))
	cmd.Stdout, cmd.Stderr = &out, &out
	host.Detached(cmd)
	cmd.Cancel = func() error { return errors.Join(host.KillGroup(cmd.Process.Pid), cmd.Process.Kill()) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if ctx.Err() != nil && err != nil {
		err = fmt.Errorf("no end after %s: %w", tryFor, err)
	}
	return strings.TrimSpace(string(out.b)), err
}

// limited keeps the first 64 KiB written to it.
type limited struct{ b []byte }

func (l *limited) Write(p []byte) (int, error) {
	if room := 64<<10 - len(l.b); room > 0 {
		l.b = append(l.b, p[:min(room, len(p))]...)
	}
	return len(p), nil
}
