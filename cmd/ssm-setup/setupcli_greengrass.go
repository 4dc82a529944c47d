package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/service"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
	"github.com/ssm-setup/ssm-setup/installer/store"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// errInstallFirst is the original's.
var errInstallFirst = errors.New("Agent must be installed before attempting to register") //nolint:staticcheck // its words

// greengrass acts as the installer of a component: install, register, shutdown, in this order (spec update 3.6).
func (s *setupRun) greengrass() int {
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
func (s *setupRun) environment(get func(string) string) {
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
func (s *setupRun) installComponent() error {
	s.componentSettings()
	way, err := choosePackaging(s.layout)
	if err != nil {
		return err
	}
	floor, err := floorOf(s.layout)
	if err != nil {
		return err
	}
	if !floor.IsZero() && floor.String() == stamp.Version() {
		s.log.info("Version is already installed, not attempting to install agent")
		return nil
	}
	file := filepath.Join(s.Artifacts, way.loose)
	if !exists(file) {
		return fmt.Errorf("the required file %s is missing in %s", way.loose, s.Artifacts)
	}
	if err := mayChange(s.layout); err != nil {
		return err
	}
	if s.layout.System() && exists(snapAgent) {
		if err := removeSnap(s.ctx, s.pause); err != nil {
			return err
		}
	}
	release, err := lockInstallation(s.layout)
	if err != nil {
		return err
	}
	defer release()
	return s.putComponent(way, file, manifests.MustVersion(stamp.Version()).Less(floor))
}

func (s *setupRun) putComponent(way packaging, file string, older bool) error {
	if way.name != archive.name {
		if err := way.install(s.ctx, file, older); err != nil {
			return err
		}
	} else {
		if err := os.MkdirAll(s.layout.Download(), 0o755); err != nil {
			return err
		}
		if err := putTree(s.layout, file, manifests.MustVersion(stamp.Version())); err != nil {
			return err
		}
	}
	floor, err := floorOf(s.layout)
	if err != nil {
		return err
	}
	s.log.info("installed %s", floor)
	return store.Store{Paths: s.layout.Pointer()}.MakeSlots(floor.String())
}

// componentSettings copies the component's settings where there are none, and has the machine register as on-premises. Faults are
// warnings.
func (s *setupRun) componentSettings() {
	from := filepath.Join(s.Artifacts, filepath.Base(s.layout.ConfigFile()))
	if text, err := os.ReadFile(from); err == nil && !exists(s.layout.ConfigFile()) {
		err = os.MkdirAll(s.layout.ConfigDir(), 0o755)
		if err == nil {
			err = host.WriteFile(s.layout.ConfigFile(), text, 0o600)
		}
		if err != nil {
			s.log.warn("the settings were not copied: %v", err)
		}
	}
	if err := config.Set(s.layout.ConfigFile(), onPremIdentity()); err != nil {
		s.log.warn("the settings were not changed: %v", err)
	}
}

// registerComponent registers with a role, unless the machine is registered.
func (s *setupRun) registerComponent() error {
	if floor, err := floorOf(s.layout); err != nil || floor.IsZero() {
		return errors.Join(errInstallFirst, err)
	}
	if id, _, _ := identity.Registered(s.layout); id != "" && !s.Override {
		s.log.info("skipping registration because override flag is not set, just starting agent back")
		return s.startAgent()
	}
	if err := s.stopAgent(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(s.ctx, 30*time.Second)
	defer cancel()
	args := []string{"-register", "-y", "-region", s.Region, "-role", s.Role}
	if s.Tags != "" {
		args = append(args, "-tags", s.Tags)
	}
	cmd := exec.CommandContext(ctx, s.layout.Launcher(), args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &out, &out, 2*time.Second
	if err := cmd.Run(); err != nil {
		return errors.Join(refusal(out.String(), err), s.startAgent())
	}
	id, _, err := identity.Registered(s.layout)
	if err == nil && id == "" {
		err = errors.New("the agent registered, but no instance id is in its vault")
	}
	if err != nil {
		return err
	}
	s.log.info("Successfully registered the instance with AWS SSM using Managed instance-id: %s", id)
	return s.startAgent()
}

func (s *setupRun) startAgent() error { return again(s.ctx, 4, service.Of(s.layout).Start) }

func (s *setupRun) stopAgent() error { return again(s.ctx, 4, service.Of(s.layout).Stop) }

// snapAgent is where an agent lies that was installed by snap.
const snapAgent = "/snap/amazon-ssm-agent/current/amazon-ssm-agent"

// removeSnap removes an agent that snap installed. Exit code 10 says that snap refreshes something right now: up to four more
// tries, ten seconds apart; any other code ends it.
func removeSnap(ctx context.Context, pause func(context.Context, time.Duration)) error {
	for try := 1; ; try++ {
		out, err := exec.CommandContext(ctx, "snap", "remove", "amazon-ssm-agent").CombinedOutput()
		var exit *exec.ExitError
		if err == nil || try == 5 || !errors.As(err, &exit) || exit.ExitCode() != 10 {
			if err != nil {
				return fmt.Errorf("snap remove amazon-ssm-agent: %w: %s", err, bytes.TrimSpace(out))
			}
			return nil
		}
		pause(ctx, 10*time.Second)
	}
}
