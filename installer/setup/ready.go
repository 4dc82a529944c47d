package setup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/service"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Ready tries what could fail after a registration, before an activation is used up: that the installed program runs, that its data
// can be written, and that the service can be started.
func (i Installation) Ready(ctx context.Context) error {
	for _, check := range []func(context.Context, installer.Layout) error{programsRun, dataKept, serviceStarts} {
		if err := check(ctx, i.Layout); err != nil {
			return err
		}
	}
	return nil
}

// ready is that, for a run that registers or starts.
func (r *run) ready() error { return r.Ready(r.ctx) }

// programsRun has the two installed programs state their version.
func programsRun(ctx context.Context, l installer.Layout) error {
	for _, file := range []string{l.Launcher(), l.Worker()} {
		if err := programRuns(ctx, l, file); err != nil {
			return err
		}
	}
	return nil
}

func programRuns(ctx context.Context, l installer.Layout, file string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, file, "-version")
	cmd.Args[0], cmd.Env = filepath.Base(l.Launcher()), CleanEnvironment(l)
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	if host.NoExec(l.BinDir()) {
		return fault.Wrap(fault.Refused, fmt.Errorf("the installed program does not run: %s is on a file system that is mounted noexec", l.BinDir()),
			"mount it without noexec, or choose another folder")
	}
	text, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return fmt.Errorf("the installed program does not run: %w: %s", err, text)
}

// largestRecord is more than a registration writes, in bytes.
const largestRecord = 64 << 10

// dataKept writes and syncs as much as a registration does, and takes it away again.
func dataKept(_ context.Context, l installer.Layout) error {
	if err := os.MkdirAll(l.Data(), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(l.Data(), ".try-")
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, largestRecord))
	return errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name()))
}

// serviceStarts looks for what keeps a service from being started.
func serviceStarts(_ context.Context, l installer.Layout) error {
	status, err := service.Of(l).Status()
	switch {
	case err != nil:
		return err
	case status.Boot == service.Masked:
		return fault.Wrap(fault.Refused, fmt.Errorf("service %s is masked: it cannot be started", service.Name()),
			"systemctl unmask "+service.Name()+", then run the same command again")
	case !status.Installed:
		return fault.Wrap(fault.Refused, fmt.Errorf("service %s: %w", service.Name(), service.ErrNoManager),
			"install the package anew: its service definition is missing")
	}
	return nil
}
