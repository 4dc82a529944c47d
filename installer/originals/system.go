package originals

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/service"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/installer/systems"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// Agent is Amazon's agent of one system, installed or to be installed there.
type Agent struct {
	setup.Installation
	System System
	Trial  time.Duration // how long a healthy agent is watched; 0: a minute

	// Confirm asks the service for the version of the agent that pinged it last as this node; nil: it is not asked.
	Confirm func(ctx context.Context, region, instanceID string) (version string, err error)

	cut func(place string) // tests end the process here
}

// System is what this room asks of the system.
type System struct {
	Packing  string // deb, rpm, exe, pkg; empty: this system has no package manager that is known
	OursFile string // name of our package for this system in a manifest; empty: none
	Arch     string // in Go's names
	Facts    systems.Facts
	Managed  bool // a service manager runs that the packages know
	Service  service.Service

	// Run runs a program of the system to its end and returns what it printed; the error holds its last lines.
	Run func(ctx context.Context, command ...string) (string, error)
	// Register runs the original's own -register, whose arguments hold a secret: the error does not repeat them.
	Register func(ctx context.Context, command ...string) (string, error)
	// Pids are the processes that run a program.
	Pids func(program string) []int
	// Pause waits; a test makes time pass.
	Pause func(ctx context.Context, d time.Duration) error
}

// Here is Amazon's agent of this system.
func Here(i setup.Installation) *Agent {
	s := service.Of(i.Layout)
	ours := ""
	if way, err := setup.PackagingOf(i.Layout); err == nil {
		ours = way.File(runtime.GOARCH)
	}
	return &Agent{Installation: i, System: System{Packing: packingHere(i.Layout, runtime.GOOS), OursFile: ours, Arch: runtime.GOARCH,
		Facts:   systems.Here(),
		Managed: !service.Detached(s), Service: s, Run: run, Register: register, Pids: pids, Pause: host.Sleep}}
}

// run has a package manager or another program of the system do something. One that has begun is not interrupted.
func run(ctx context.Context, command ...string) (string, error) {
	return setup.Packager(ctx, command...)
}

// register is cut off with its context, and its error is what it printed.
func register(ctx context.Context, command ...string) (string, error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = setup.CleanEnvironment(installer.At(""))
	cmd.WaitDelay = 2 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// pids looks through all processes.
func pids(program string) (found []int) {
	all, err := host.Processes()
	if err != nil {
		return nil
	}
	for _, pid := range all {
		if exe, err := host.ProcessExecutable(pid); err == nil && samePath(exe, program) {
			found = append(found, pid)
		}
	}
	return found
}

func samePath(a, b string) bool {
	if runtime.GOOS == "windows" {
		return strings.EqualFold(a, b)
	}
	return a == b
}

// Presence is what is there of Amazon's agent.
type Presence struct {
	Version manifests.Version // as the package manager says; zero: not installed by it
	Whole   bool              // the package manager calls the package installed
	Packing string            // deb, rpm, exe, pkg, snap
}

// Present asks what is installed. The error is one of asking.
func (a *Agent) Present(ctx context.Context) (Presence, error) {
	if a.snap() {
		return Presence{Packing: "snap", Version: a.snapVersion(ctx), Whole: true}, nil
	}
	p, err := a.packing()
	if err != nil {
		return Presence{}, err
	}
	out, err := a.System.Run(ctx, p.query...)
	here := Presence{Packing: p.name}
	if err != nil { // each manager's way to say that it knows no such package
		return here, ctx.Err()
	}
	v, ok := versionIn(out)
	if !ok || KindOf(v) != Original {
		return here, nil
	}
	here.Version, here.Whole = v, strings.Contains(out, p.whole)
	return here, nil
}

// Installed tells which agent is installed here; empty: neither.
func (a *Agent) Installed(ctx context.Context) (Kind, error) {
	v, err := setup.PackageVersion(a.Layout)
	switch {
	case errors.Is(err, setup.ErrOriginal):
		return Original, nil
	case err != nil:
		return "", err
	case !v.IsZero():
		return Ours, nil
	}
	if !a.Layout.System() && a.System.Packing == "" {
		return "", nil
	}
	here, err := a.Present(ctx)
	if errors.Is(err, errNoPacking) {
		return "", nil
	}
	if err == nil && here.Whole && !here.Version.IsZero() {
		return Original, nil
	}
	return "", err
}

// precondition is why a system cannot take Amazon's agent, in its own words (docs/protocol/update.md, "Target resolution and validation").
func precondition(f systems.Facts) string {
	if f.ID == "bottlerocket" {
		return "Failed Bottlerocket precondition: Bottlerocket has an immutable root filesystem"
	}
	if systems.Check(systems.Facts{OS: f.OS, Kernel: f.Kernel}) != nil {
		return fmt.Sprintf("Failed kernel version precondition: Minimum kernel version is %s but instance kernel version is %s", systems.Kernel,
			f.Kernel)
	}
	return ""
}
