package setupcli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/anchor"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/regions/trust"
)

// What the original says where it refuses.
var (
	errDowngradeFlag = errors.New("downgrade flag is not set")
	errAgentCount    = errors.New("invalid agent process count. Please uninstall additional processes")
	errNoLatest      = errors.New("cannot find the latest version for package " + manifests.AgentPackage)
)

// onPremIdentity are the settings that make a machine register by activation only.
func onPremIdentity() map[string]any {
	return map[string]any{"Identity.Ec2SystemInfoDetectionResponse": "", "Identity.ConsumptionOrder": []string{"OnPrem"},
		"Identity.CustomIdentities": []string(nil)}
}

func (s *run) onprem() int {
	if err := s.administrator(); err != nil {
		fmt.Fprintf(s.out, "Please run as root/admin. Err:  %v\n", err)
		return exitFailed
	}
	s.log = &levels{to: []io.Writer{s.out}, dated: true}
	if f, err := openSetupLog(s.agent.Logs()); err != nil {
		s.log.warn("no log file: %v", err)
	} else {
		defer f.Close()
		s.log.to = append(s.log.to, f)
	}
	s.log.info("ssm-setup-cli -version: %v", stamp.Version())
	s.log.info("Setting proxy config")
	s.log.info("Proxy environment variables:")
	for _, name := range []string{"http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"} {
		if value := os.Getenv(name); value != "" {
			s.log.info("%s: %s", name, withoutPassword(value))
		}
	}
	s.log.info("Setup parameters: %v", s.parameters)
	if wrong := s.lacking(false); wrong != "" {
		s.log.error("Invalid parameters - %s", wrong)
		return exitFailed
	}
	if err := s.installAndRegister(); err != nil {
		s.log.error("Failed to perform Onprem registration: %v", err)
		return exitFailed
	}
	s.log.info("Agent registration completed")
	return exitOK
}

// withoutPassword hides what stands between the scheme and the host of a proxy's address.
func withoutPassword(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		scheme, rest = "", address
	}
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		rest = "***" + rest[at:]
	}
	if !ok {
		return rest
	}
	return scheme + "://" + rest
}

// installAndRegister is the original's flow (docs/protocol/update.md, "On-premises flow") on top of the installation's stops.
func (s *run) installAndRegister() error {
	base, err := s.bucket()
	if err != nil {
		return err
	}
	return s.installFrom(base)
}

func (s *run) installFrom(base string) error {
	way, err := setup.PackagingOf(s.agent.Layout)
	if err != nil {
		return err
	}
	installed, err := setup.PackageVersion(s.agent.Layout)
	if err != nil {
		return err
	}
	client := bucket.New(bucket.Options{Base: base, Retries: 2, Signed: anchor.Signed(s.agent.Layout, trust.Watch{})})
	m, err := client.Manifest(s.ctx)
	if err != nil {
		return err
	}
	if err := s.checkSelf(m); err != nil {
		return err
	}
	target, err := s.target(client, m, way.File(runtime.GOARCH), installed)
	if err != nil {
		return err
	}
	switch {
	case installed == target:
		s.log.info("Version already installed %v: ", target)
	case target.Less(installed) && !s.Downgrade:
		return errDowngradeFlag
	}
	id, _, _ := s.agent.Ports.Registered(s.agent.Layout)
	if id != "" && !s.Override {
		s.log.info("skipping registration because override flag is not set, just starting agent back")
	}
	o := setup.Options{Region: s.Region, Base: base, Version: target.String(), AllowDowngrade: s.Downgrade,
		Activation: setup.Activation{ID: s.id, Code: s.code},
		Override:   s.Override, Settings: onPremIdentity(), Tries: 4}
	if !s.SkipSignature {
		o.Inspect = func(archive string, v manifests.Version) error {
			return s.checkSignature(client, way.Format, archive, v)
		}
	}
	s.agent.Ports.Step, s.agent.Ports.Progress = s.log.info, s.log.progress
	result, err := s.agent.Install(s.ctx, o)
	if err != nil {
		return err
	}
	if result.Registered {
		s.log.info("Successfully registered the instance with AWS SSM using Managed instance-id: %s", result.InstanceID)
	}
	return s.oneAgent()
}

// bucket is where manifest and packages are: the region's, or that of -manifest-url.
func (s *run) bucket() (string, error) {
	if s.ManifestURL == "" {
		return regions.BucketURL(s.Region, "", "")
	}
	if !strings.HasPrefix(s.ManifestURL, "https://") {
		return "", fmt.Errorf("-manifest-url must start with https://, unlike %s", s.ManifestURL)
	}
	return regions.BaseOfManifest(s.ManifestURL, s.Region)
}

// Versions with a meaning of their own.
var lookInVersionFile = manifests.MustVersion("255.255.65535.999")

// target is the version to install (docs/protocol/update.md, "On-premises flow").
func (s *run) target(client *bucket.Client, m *manifests.Manifest, file string, installed manifests.Version) (manifests.Version, error) {
	listing, err := m.Listing(manifests.AgentPackage, file)
	if err != nil {
		return installed, err
	}
	latest := listing.LatestActive()
	if latest.IsZero() {
		return installed, errNoLatest
	}
	switch {
	case strings.EqualFold(s.Version, "latest"):
		if latest == lookInVersionFile {
			return client.Latest(s.ctx)
		}
		return latest, nil
	case s.Version == "stable", s.Version == "" && installed.IsZero():
		return client.Stable(s.ctx)
	case installed.IsZero():
		return installed, fmt.Errorf("incorrect package name or version, %s, ", manifests.AgentPackage)
	}
	return installed, nil
}

// oneAgent waits up to five seconds until exactly one agent runs.
func (s *run) oneAgent() error {
	for try := 0; ; try++ {
		n, err := s.launchers(s.agent.Layout)
		if err == nil && n == 1 {
			return nil
		}
		if try == 25 || s.ctx.Err() != nil {
			return fmt.Errorf("error while checking agent process count: %w", errors.Join(err, errAgentCount))
		}
		s.pause(s.ctx, 200*time.Millisecond)
	}
}
