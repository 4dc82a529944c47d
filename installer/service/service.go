package service

import (
	"context"
	"errors"
	"runtime"

	"github.com/ssm-setup/ssm-setup/installer"
)

// ErrNoManager says that no service manager runs on this system, or that it does not know the agent's service.
var ErrNoManager = errors.New("no service manager that knows the agent's service")

// Status is what is known about a service.
type Status struct {
	Kind      string // "none" for a detached launcher, else the service manager, for example "linux-systemd"
	Installed bool   // the service manager knows it; for none: the launcher is there
	Running   bool
	PID       int // of the launcher, where known
	// Boot is [Enabled], [Disabled] or [Masked]; empty where that is not known. A detached launcher is always Disabled.
	Boot string
}

// What becomes of a service when the system boots.
const (
	Enabled  = "enabled"  // it starts
	Disabled = "disabled" // it does not
	Masked   = "masked"   // it cannot be started at all
)

// Service is the agent's service of one installation. Starting what runs and stopping what does not is no error.
type Service interface {
	Status() (Status, error)
	Start(ctx context.Context) error
	Stop(ctx context.Context) error // returns when the launcher has ended
	Restart(ctx context.Context) error
}

// Of is the service of an installation: the system's own where a service manager runs, else a detached launcher (under a root, and in
// containers, chroots and images that are being built).
func Of(l installer.Layout) Service {
	if l.System() && managed() {
		return system{l}
	}
	return detached{l}
}

// Detached tells whether a service is a launcher without a service manager.
func Detached(s Service) bool {
	_, ok := s.(detached)
	return ok
}

// Name is the service's name with this system's service manager (docs/protocol/update.md, "Service definitions" to "macOS packages").
func Name() string {
	switch runtime.GOOS {
	case "windows":
		return "AmazonSSMAgent"
	case "darwin":
		return "com.amazon.aws.ssm"
	}
	return "amazon-ssm-agent"
}
