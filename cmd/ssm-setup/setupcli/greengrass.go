package setupcli

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/service"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// errInstallFirst is the original's.
var errInstallFirst = errors.New("Agent must be installed before attempting to register") //nolint:staticcheck // its words

// greengrass acts as the installer of a component: install, register, shutdown, in this order (docs/protocol/update.md,
// "Greengrass flow").
func (s *run) greengrass() int {
	s.log = &levels{to: []io.Writer{s.out}}
	s.environment(os.Getenv)
	s.log.info("Setup parameters: %v", s.parameters)
	if err := s.administrator(); err != nil {
		s.log.error("ssm-setup-cli is not executed by root")
		return exitFailed
	}
	if wrong := s.lacking(true); wrong != "" {
		s.log.error("Invalid parameters - %s", wrong)
		return exitFailed
	}
	for _, action := range []struct {
		wanted bool
		do     func() error
	}{{s.Install, s.installComponent}, {s.Register, s.registerComponent}, {s.Shutdown, s.stopAgent}} {
		if !action.wanted {
			continue
		}
		if err := action.do(); err != nil {
			s.log.error("%v", err)
			return exitFailed
		}
	}
	return exitOK
}

// environment has the component's variables win over flags.
func (s *run) environment(get func(string) string) {
	for name, to := range map[string]*string{"SSM_ARTIFACTS_PATH": &s.Artifacts, "AWS_REGION": &s.Region,
		"SSM_REGISTRATION_ROLE": &s.Role, "SSM_RESOURCE_TAGS": &s.Tags} {
		if value := get(name); value != "" {
			*to = value
		}
	}
	if get("SSM_OVERRIDE_EXISTING_REGISTRATION") == "true" {
		s.Override = true
	}
	if s.Artifacts == "" {
		s.Artifacts = s.own
	}
}

// installComponent puts the package of the artifacts folder in, unless this very version is there.
func (s *run) installComponent() error {
	s.componentSettings()
	current, err := setup.PackageVersion(s.agent.Layout)
	if err != nil {
		return err
	}
	if !current.IsZero() && current.String() == stamp.Version() {
		s.log.info("Version is already installed, not attempting to install agent")
		return nil
	}
	if current, err = s.agent.InstallFrom(s.ctx, s.Artifacts, manifests.MustVersion(stamp.Version())); err != nil {
		return err
	}
	s.log.info("installed %s", current)
	return nil
}

// componentSettings copies the component's settings where there are none, and has the machine register as on-premises. Faults are
// warnings.
func (s *run) componentSettings() {
	from := filepath.Join(s.Artifacts, filepath.Base(s.agent.ConfigFile()))
	if text, err := os.ReadFile(from); err == nil && !setup.Exists(s.agent.ConfigFile()) {
		err = os.MkdirAll(s.agent.ConfigDir(), 0o755)
		if err == nil {
			err = host.WriteFile(s.agent.ConfigFile(), text, 0o600)
		}
		if err != nil {
			s.log.warn("the settings were not copied: %v", err)
		}
	}
	if err := s.agent.Ports.Configure(s.agent.ConfigFile(), onPremIdentity()); err != nil {
		s.log.warn("the settings were not changed: %v", err)
	}
}

// registerComponent registers with a role, unless the machine is registered.
func (s *run) registerComponent() error {
	if current, err := setup.PackageVersion(s.agent.Layout); err != nil || current.IsZero() {
		return errors.Join(errInstallFirst, err)
	}
	if id, _, _ := s.agent.Ports.Registered(s.agent.Layout); id != "" && !s.Override {
		s.log.info("skipping registration because override flag is not set, just starting agent back")
		return s.startAgent()
	}
	if err := s.stopAgent(); err != nil {
		return err
	}
	id, err := s.agent.Register(s.ctx, setup.Registration{Region: s.Region, Role: s.Role, Tags: s.Tags, Patience: 30 * time.Second})
	if err != nil {
		return errors.Join(err, s.startAgent())
	}
	s.log.info("Successfully registered the instance with AWS SSM using Managed instance-id: %s", id)
	return s.startAgent()
}

func (s *run) startAgent() error { return setup.Retry(s.ctx, 4, service.Of(s.agent.Layout).Start) }

func (s *run) stopAgent() error { return setup.Retry(s.ctx, 4, service.Of(s.agent.Layout).Stop) }
