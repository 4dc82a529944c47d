package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	kardianos "github.com/kardianos/service"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
)

// system is the service under the system's service manager. Packages install and enable it; this only runs it.
type system struct{ layout installer.Layout }

// nothing satisfies the library, which is only asked to control a service, never to be one.
type nothing struct{}

func (nothing) Start(kardianos.Service) error { return nil }
func (nothing) Stop(kardianos.Service) error  { return nil }

func (s system) open() (kardianos.Service, error) {
	if kardianos.ChosenSystem() == nil {
		return nil, ErrNoManager
	}
	return kardianos.New(nothing{}, &kardianos.Config{Name: Name(), Executable: s.layout.Launcher()})
}

func (s system) Status() (Status, error) {
	pid, running := launcher.Running(s.layout.Pointer())
	out := Status{Kind: "none", Running: running, PID: pid}
	svc, err := s.open()
	if errors.Is(err, ErrNoManager) {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	out.Kind = svc.Platform()
	status, err := svc.Status()
	if errors.Is(err, fs.ErrPermission) {
		return out, fmt.Errorf("ask for service %s: %w", Name(), err)
	}
	if err == nil {
		out.Installed = true
		out.Running = running || status == kardianos.StatusRunning
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		out.Boot = boot(ctx)
	}
	return out, nil // other errors are each manager's way to say that it knows no such service
}

func (s system) Start(context.Context) error {
	return s.do("start", kardianos.Service.Start, kardianos.StatusRunning)
}

func (s system) Stop(context.Context) error {
	return s.do("stop", kardianos.Service.Stop, kardianos.StatusStopped)
}

func (s system) Restart(context.Context) error {
	return s.do("restart", kardianos.Service.Restart, kardianos.StatusUnknown)
}

// do asks the service manager, unless the service is already as wanted.
func (s system) do(verb string, act func(kardianos.Service) error, wanted kardianos.Status) error {
	svc, err := s.open()
	if err != nil {
		return err
	}
	status, err := svc.Status()
	if errors.Is(err, kardianos.ErrNotInstalled) {
		return fmt.Errorf("%s service %s: %w", verb, Name(), ErrNoManager)
	}
	if err == nil && status == wanted && wanted != kardianos.StatusUnknown {
		return nil
	}
	if err := act(svc); err != nil {
		return fmt.Errorf("%s service %s: %w", verb, Name(), err)
	}
	return nil
}
