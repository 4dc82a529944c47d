package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/agent/health"
	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/agent/mailbox"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/anchor"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
	"github.com/ssm-setup/ssm-setup/installer/systems"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/regions/trust"
	"github.com/ssm-setup/ssm-setup/regions/wire"
	"github.com/ssm-setup/ssm-setup/updater"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// ports ties the updater, which talks to no service, to this host's region: configuration, identity and clients of the agent
// become its Source, Reporter and Probe.
type ports struct {
	layout installer.Layout
	cfg    config.Config
	http   *http.Client
	log    *slog.Logger
	region string
	looks  bool // nothing is written: not even what was verified
}

func newEngineAndPorts(l installer.Layout, log *slog.Logger) (*updater.Engine, *ports, error) {
	settings := config.Read(l)
	if settings.Fault != nil {
		log.Warn("the settings cannot be used", "error", settings.Fault)
	}
	cfg := settings.Config
	client, err := cloud.HTTP()
	if err != nil {
		return nil, nil, err
	}
	p := &ports{layout: l, cfg: cfg, http: client, log: log}
	if _, p.region, err = identity.Registered(l); err != nil || p.region == "" {
		p.region = regionOf(cfg.Agent.UpdateSource)
	}
	source, err := packageSource(cfg, p.region, log)
	if err != nil {
		return nil, nil, err
	}
	return &updater.Engine{
		Layout: l,
		Settings: updater.Settings{Oldest: anchor.Oldest(l), Source: source, LocalSource: localSource(cfg, p.region), Region: p.region,
			LimitRate:    int64(cfg.Agent.UpdateLimitRate) << 10,
			Watch:        time.Duration(cfg.Agent.UpdateWatchSeconds) * time.Second,
			Precondition: precondition(systems.Here()),
			Agent: wire.AgentInfo{Lang: cfg.Os.Lang, Name: manifests.AgentPackage, OS: cfg.Os.Name, OSVersion: cfg.Os.Version,
				Version: stamp.Version()}},
		Open:      p.open,
		Reporter:  updater.Reporter{Lane: p.lane, Health: p.health, Upload: p.upload},
		Probe:     p.probe,
		ProbeLane: p.probeLane,
		Identity:  p.instance,
		Log:       log,
	}, p, nil
}

// regionOf finds the region in a manifest's address, for a host that is registered nowhere.
func regionOf(url string) string {
	base, err := regions.BaseOfManifest(url, "")
	if err != nil {
		return ""
	}
	region, ok := strings.CutPrefix(base[strings.LastIndexByte(base, '/')+1:], regions.Bucket(""))
	if !ok {
		return "" // a bucket of another name
	}
	return region
}

// packageSource is the address of the manifest that updates follow. Agent.UpdateSource has it; Agent.PackageSource counts alone where
// the settings were written by hand.
func packageSource(cfg config.Config, region string, log *slog.Logger) (string, error) {
	if cfg.Agent.PackageSource == "" {
		return cfg.Agent.UpdateSource, nil
	}
	s, note, err := regions.Remembered(cfg.Agent.PackageSource, cfg.Agent.UpdateSource, region, cfg.S3.Endpoint)
	if note != "" {
		log.Warn("two settings disagree", "note", note)
	}
	if err != nil || cfg.Agent.UpdateSource != "" {
		return cfg.Agent.UpdateSource, nil //nolint:nilerr // the engine says of an address that it is none
	}
	return s.ManifestURL(region, cfg.S3.Endpoint)
}

// localSource is the manifest's address in a region that is on this machine by its settings; else empty.
func localSource(cfg config.Config, region string) string {
	endpoint := regions.WithScheme(cmp.Or(cfg.S3.Endpoint, cfg.Ssm.Endpoint))
	if !regions.OnThisMachine(endpoint) {
		return ""
	}
	source, err := regions.ManifestURL(region, endpoint, "")
	if err != nil {
		return ""
	}
	return source
}

// identity reads the registration anew each time: that it can be read is part of what an update has to leave as it was.
func (p *ports) identity() (*identity.Identity, error) {
	return identity.Load(p.layout, p.cfg, identity.Options{HTTP: p.http})
}

func (p *ports) instance() (string, error) {
	id, err := p.identity()
	switch {
	case err == nil:
		return id.InstanceID, nil
	case errors.Is(err, identity.ErrNotRegistered):
		return "", nil
	}
	return "", err
}

func (p *ports) call(ctx context.Context, service cloud.Service, operation string, in any) error {
	id, err := p.identity()
	if err != nil {
		return err
	}
	c, err := id.Client(service)
	if err != nil {
		return err
	}
	return c.Call(ctx, operation, in, nil)
}

// lane is how the updater answers commands that came by a lane.
func (p *ports) lane(upstream string) updater.Reporter {
	late := mailbox.LateFor(upstream, p.machine)
	return updater.Reporter{
		Reply: func(ctx context.Context, messageID, replyID, payload string) error {
			return noMessage(late.Reply(ctx, messageID, replyID, payload))
		},
		Delete: func(ctx context.Context, messageID string) error { return noMessage(late.Delete(ctx, messageID)) },
	}
}

// noMessage says in the updater's words that no further try changes the answer.
func noMessage(err error) error {
	if errors.Is(err, mailbox.ErrGone) {
		return fmt.Errorf("%w: %w", updater.ErrNoMessage, err)
	}
	return err
}

// health sends a status of the update (docs/protocol/update.md, "Reporting of an update") with everything else a ping says,
// so that no fact of the node is lost.
func (p *ports) health(ctx context.Context, status, version string) error {
	id, err := p.identity()
	if err != nil {
		return err
	}
	f, none := health.ThisMachine()(ctx), ""
	return p.call(ctx, cloud.SSM(), "UpdateInstanceInformation", wire.UpdateInstanceInformationInput{
		AgentName: manifests.AgentPackage, AgentStatus: status, AgentVersion: version, InstanceId: id.InstanceID,
		ComputerName: f.ComputerName, IPAddress: f.IPAddress, PlatformType: health.PlatformType(), PlatformName: f.PlatformName,
		PlatformVersion: f.PlatformVersion, AvailabilityZone: &none, AvailabilityZoneId: &none, SSMConnectionChannel: &none})
}

// upload puts a file into a bucket, as an original's updater does: the bucket's owner may read it.
func (p *ports) upload(ctx context.Context, bucket, key, file string) error {
	id, err := p.identity()
	if err != nil {
		return err
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	s := cloud.NewS3(cloud.S3Options{HTTP: p.http, Region: cmp.Or(p.cfg.S3.Region, id.Region), Domain: p.cfg.Agent.ServiceDomain,
		Endpoint: p.cfg.S3.Endpoint, UserAgent: cloud.UserAgent(p.cfg.Agent.Name, p.cfg.Agent.Version),
		Credentials: id.Credentials(), Log: p.log})
	_, err = s.Put(ctx, bucket, key, f, cloud.PutOptions{ContentType: "text/plain", ACL: "bucket-owner-full-control"})
	return err
}

// probe is the agent's own empty ping. It names the version that runs, not the updater's.
func (p *ports) probe(ctx context.Context) error {
	id, err := p.identity()
	if err != nil {
		return err
	}
	version := stamp.Version()
	if pulse, err := installer.ReadPulse(p.layout.Pulse()); err == nil && pulse.Version != "" {
		version = pulse.Version
	}
	return p.call(ctx, cloud.SSM(), "UpdateInstanceInformation", wire.UpdateInstanceInformationInput{
		AgentName: manifests.AgentPackage, AgentVersion: version, InstanceId: id.InstanceID, PlatformType: health.PlatformType()})
}

// probeLane asks a lane's service for something that changes nothing.
func (p *ports) probeLane(ctx context.Context, lane string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return mailbox.LateFor(lane, p.machine).Probe(ctx)
}

// machine is this machine for answers that come late.
func (p *ports) machine() (mailbox.Machine, error) {
	id, err := p.identity()
	if err != nil {
		return mailbox.Machine{}, err
	}
	return mailbox.Machine{Client: id.Client, InstanceID: id.InstanceID, Directory: filepath.Join(p.layout.Data(), id.ShortID())}, nil
}

// open is a region's bucket as the updater wants it.
func (p *ports) open(_ context.Context, manifestURL string) (updater.Source, error) {
	base, err := regions.BaseOfManifest(manifestURL, p.region)
	if err != nil {
		return updater.Source{}, err
	}
	if regions.Insecure(base) {
		p.log.Warn("updates come over plain http from another machine: what answers there is not known; set Agent.UpdateSource to an "+
			"https address",
			"source", manifestURL)
	}
	c := p.reader(base, 0)
	return updater.Source{
		Manifest: c.Manifest,
		Stable:   c.Stable,
		URL:      func(v manifests.Version, file string) string { return c.FileURL(manifests.AgentPackage, v, file) },
		Fetch:    c.Fetch,
		Index: func(ctx context.Context) (*manifests.Index, bool, error) {
			if p.looks {
				return anchor.LookIndex(ctx, c)
			}
			return anchor.Index(ctx, p.layout, c)
		},
		Trust: func(ctx context.Context) (ledger.Trust, error) { return trusted(ctx, c) },
	}, nil
}

// reader reads the bucket at base, verified where this host has a root. retries is as in [bucket.Options].
func (p *ports) reader(base string, retries int) *bucket.Client {
	w := trust.Watch{Log: p.log}
	signed := anchor.Look(p.layout, nil, w)
	if !p.looks {
		signed = anchor.Signed(p.layout, w)
	}
	return bucket.New(bucket.Options{Base: base, HTTP: p.patient(), Log: p.log, Retries: retries, Signed: signed})
}

// trusted says why what a client reads is believed.
func trusted(ctx context.Context, c *bucket.Client) (ledger.Trust, error) {
	t, err := c.Verified(ctx)
	if err != nil {
		return ledger.Trust{}, err
	}
	return ledger.TrustOf(t.Root, t.SHA256, c.Base()), nil
}

// patient is the process's client with a limit on the wait for an answer's beginning.
func (p *ports) patient() *http.Client {
	c := *p.http
	if t, ok := c.Transport.(*http.Transport); ok {
		t = t.Clone()
		t.ResponseHeaderTimeout = 30 * time.Second
		c.Transport = t
	}
	return &c
}

// updateLog is the updater's log: 4 MB, then it makes way, and one full file stays. Without a place for it there is none.
func updateLog(l installer.Layout) (*slog.Logger, func()) {
	_ = os.MkdirAll(l.Logs(), 0o755)
	f := host.Rolling{Path: updater.LogFile(l), Size: 4 << 20, Keep: 1, Mode: 0o644}.File()
	if crash, err := os.OpenFile(updater.LogFile(l), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644); err == nil {
		_ = debug.SetCrashOutput(crash, debug.CrashOptions{}) // the program that started this updater may be gone by then
		_ = crash.Close()                                     // the runtime has its own
	}
	log := slog.New(slog.NewTextHandler(fault.Writer(f), &slog.HandlerOptions{Level: slog.LevelDebug})).With("pid", os.Getpid())
	return log, func() { _ = f.Close() }
}
