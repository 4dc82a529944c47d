package setup

import (
	"encoding/json"
	"fmt"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
)

// Addresses are what a host's settings say of where it gets things from. Settings that cannot be read say nothing.
type Addresses struct {
	Agent struct{ UpdateSource, PackageSource string }

	Ssm, Mds, Mgs, S3 struct{ Endpoint string }
}

func addresses(config []byte) (a Addresses) {
	if json.Unmarshal(config, &a) != nil {
		return Addresses{}
	}
	return a
}

// MirrorAsService tells of a host whose services are reached at the address that its packages come from, though its region is one of
// AWS's: earlier programs wrote a mirror's address down as the services', where no agent can be registered.
func (a Addresses) MirrorAsService(region string) (address string, is bool) {
	at := a.Ssm.Endpoint
	if at == "" || at != a.Mds.Endpoint || at != a.Mgs.Endpoint || at != a.S3.Endpoint {
		return "", false
	}
	packages, err := regions.ManifestURL(region, at, "")
	return at, err == nil && packages == a.Agent.UpdateSource && region != regions.Local && regions.Known(region) &&
		!regions.OnThisMachine(regions.WithScheme(at))
}

// checkAddresses refuses a new address that is plain http to another machine, unless that is allowed: it would be written down for all
// later updates. One that this host already has goes on working, and is warned of.
func (r *run) checkAddresses() error {
	had := r.had()
	manifest, err := r.Source.ManifestURL(r.Region, r.bucketsAt())
	if err != nil {
		return err
	}
	at := regions.WithScheme(r.Endpoint)
	known := manifest == had.Agent.UpdateSource
	reached := had.S3.Endpoint == at && had.Ssm.Endpoint == at
	if err := regions.CheckNew(r.Endpoint, r.AllowInsecure || reached || r.Source.IsZero() && known); err != nil {
		return err
	}
	if err := r.Source.CheckNew(r.AllowInsecure || known); err != nil {
		return err
	}
	for _, address := range []string{r.Endpoint, manifest} {
		if regions.Insecure(address) {
			r.Ports.Step("warning: %s is plain http to another machine: what answers there is not known", fault.Redact(address))
			break
		}
	}
	return nil
}

// had is what the settings said before.
func (r *run) had() Addresses {
	b, err := readBefore(r.Layout)
	if err != nil {
		return Addresses{}
	}
	return addresses(b.Config)
}

// bucketsAt is the address that stands in for AWS's S3: the endpoint's, for s3:// sources also the one of the settings.
func (r *run) bucketsAt() string {
	if r.Endpoint != "" || r.Source.Kind() != regions.InS3 {
		return r.Endpoint
	}
	had := r.had()
	if _, is := had.MirrorAsService(r.Region); is {
		return ""
	}
	return had.S3.Endpoint
}

// chooseSource is where the packages come from: what was asked for, else what the host remembers for this region, else the region's own
// bucket.
func (r *run) chooseSource() {
	if !r.Source.IsZero() || r.Endpoint != "" || r.Base != "" {
		return
	}
	had := r.had()
	if had.Agent.PackageSource == "" {
		_, region, _ := r.Ports.Registered(r.Layout)
		if regions.AWSManifest(had.Agent.UpdateSource, r.Region) || region != "" && region != r.Region {
			return // that of this region or of another one
		}
	}
	s, _, err := regions.Remembered(had.Agent.PackageSource, had.Agent.UpdateSource, r.Region, had.S3.Endpoint)
	if err == nil && !s.IsZero() {
		r.Source, r.remembered = s, true
	}
}

// sourceSettings are the settings by which updates find the source. What another account could exchange is not remembered: see
// [CheckRemembered].
func (r *run) sourceSettings() map[string]any {
	if err := CheckRemembered(r.Layout, r.Source); err != nil {
		r.Ports.Step("the folder is used once and not remembered for updates: %v", err)
		return nil
	}
	return r.Source.Settings(r.source)
}

// CheckRemembered fails for a folder in which, or above which, another account than root's and this one may exchange files: what lies
// there at the next update decides which programs run. [host.ErrForeign] and [host.ErrWritable] say what was found.
func CheckRemembered(l installer.Layout, s regions.Source) error {
	dir, ok := s.Directory()
	if !ok {
		return nil
	}
	if err := host.CheckFolders(dir, dir); err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	return nil
}

// serviceSettings are the settings of the services' addresses: those of the endpoint that was given; none, where a mirror's address was
// written down as the services' and the source is named by itself now.
func (r *run) serviceSettings() map[string]any {
	sections := []string{"Ssm", "Mds", "Mgs", "S3"}
	set := map[string]any{}
	if r.Endpoint != "" {
		for _, section := range sections {
			set[section+".Endpoint"] = regions.WithScheme(r.Endpoint)
		}
		return set
	}
	at, is := addresses(r.before.Config).MirrorAsService(r.Region)
	if !is || r.Source.IsZero() || r.remembered {
		return nil
	}
	if p, err := installer.ReadPulse(r.Pulse()); err == nil && !p.LastRoundTrip.IsZero() {
		return nil // something answers there
	}
	r.Ports.Step("%s was written down as the address of the services; region %s has its own again", at, r.Region)
	for _, section := range sections {
		set[section+".Endpoint"] = nil
	}
	return set
}
