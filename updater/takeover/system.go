package takeover

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/systems"
)

// System is what this room asks of the system, as values and functions: tests record the calls.
type System struct {
	OS, Arch string
	Name     string // of the platform
	Facts    systems.Facts
	Nano     bool
	DPKG     bool   // a system of Debian's family
	Snap     bool   // the agent is a snap's
	Manager  string // word of the service manager that runs, also of one that no row of managers is for
	Restart  string // what a person types to restart the agent
	Root     string // tests put the keeper's file below it

	// Run runs a program and returns what it printed, and its exit code. limit 0: it is never interrupted.
	Run func(ctx context.Context, dir string, limit time.Duration, command ...string) (string, int, error)
	// Commands are the command lines of the processes that run.
	Commands func() [][]string
	Pause    func(ctx context.Context, d time.Duration) error
	Random   func(n int) int
	Program  func() (string, error) // this program's own file
}

// Here is this system.
func Here(l installer.Layout) System {
	name, _, _ := host.Platform()
	facts := systems.Here()
	s := System{OS: runtime.GOOS, Arch: runtime.GOARCH, Name: name, Facts: facts, Root: l.Root, DPKG: has("dpkg") && !has("rpmdb"),
		Run: run, Commands: commands, Pause: host.Sleep, Random: random, Program: os.Executable}
	output := func(command ...string) string {
		out, _, _ := run(context.Background(), "", 10*time.Second, command...)
		return out
	}
	s.Manager, s.Restart = managerHere(s.OS, "/", output)
	if platformOf(s.OS, name, s.DPKG, false).name == "ubuntu" && has("snap") {
		_, code, err := run(context.Background(), "", 30*time.Second, "snap", "services", agentPackage)
		s.Snap = err == nil && code == 0
	}
	return s
}

func random(n int) int { return int(time.Now().UnixNano()/1000) % n }

// killed is the exit code of a script that was ended for its time (docs/protocol/update.md, "Running scripts").
const killed = 137

// run starts a program in a session of its own. One that is ended is ended with all that it started.
func run(ctx context.Context, dir string, limit time.Duration, command ...string) (string, int, error) {
	cmd := exec.Command(command[0], command[1:]...) //nolint:noctx // its end is looked after below
	host.Detached(cmd)
	cmd.Dir, cmd.WaitDelay = dir, 5*time.Second
	cmd.Env = host.CleanEnvironment(os.Environ(), "", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8")
	var out lastBytes
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return "", -1, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var late <-chan time.Time
	var cancelled <-chan struct{}
	if limit > 0 {
		late, cancelled = time.After(limit), ctx.Done()
	}
	select {
	case err := <-ended:
		var exit *exec.ExitError
		if err == nil || errors.As(err, &exit) || errors.Is(err, exec.ErrWaitDelay) {
			return out.String(), cmd.ProcessState.ExitCode(), nil
		}
		return out.String(), -1, err
	case <-late:
	case <-cancelled:
	}
	_ = host.KillGroup(cmd.Process.Pid)
	err := <-ended
	return out.String(), killed, onlyAbnormal(err)
}

// longestPrint bounds what is kept of what a program prints, in bytes.
const longestPrint = 1 << 20

// lastBytes keeps the end of what is written to it.
type lastBytes struct{ b []byte }

func (l *lastBytes) Write(p []byte) (int, error) {
	l.b = append(l.b, p[max(0, len(p)-longestPrint):]...)
	if len(l.b) > 2*longestPrint {
		l.b = append(l.b[:0], l.b[len(l.b)-longestPrint:]...)
	}
	return len(p), nil
}

func (l *lastBytes) String() string { return string(l.b[max(0, len(l.b)-longestPrint):]) }

// onlyAbnormal drops the error of a program that was ended.
func onlyAbnormal(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) || errors.Is(err, exec.ErrWaitDelay) {
		return nil
	}
	return err
}

func commands() (list [][]string) {
	pids, _ := host.Processes()
	for _, pid := range pids {
		if args, err := host.ProcessArguments(pid); err == nil && len(args) > 0 {
			list = append(list, args)
		} else if exe, err := host.ProcessExecutable(pid); err == nil {
			list = append(list, []string{exe})
		}
	}
	return list
}
