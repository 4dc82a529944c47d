package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// What [Load] returns when there is no identity. The two exclude each other, because they ask for opposite things: a machine that is
// not registered waits for a registration, while one whose registration cannot be read has lost something, and an update after
// which that happens is undone.
var (
	// no identity type applies; the original's words
	ErrNotRegistered = fault.New(fault.Refused, "failed to find agent identity", "register the machine: ssm-setup register")
	ErrUnreadable    = errors.New("the registration cannot be read") // its cause, for example a permission, has the kind
)

// Options are what the outside gives.
type Options struct {
	HTTP *http.Client // shared by the process, see cloud.HTTP
	Log  *slog.Logger // nil: silent
	// Keeper is true in the agent itself: it shares the credentials it gets in the shared file and rotates keys. Other
	// processes (updater, workers, ssm-setup) read what it shared, and ask for credentials of their own, kept in memory, only
	// when there are none that are good.
	Keeper     bool
	SharedFile string // the shared credentials file; empty: [SharedFile] of the layout

	Now   func() time.Time                           // nil: time.Now
	Pause func(context.Context, time.Duration) error // nil: host.Sleep
}

func (o Options) complete(layout installer.Layout) Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Pause == nil {
		o.Pause = host.Sleep
	}
	if o.SharedFile == "" {
		o.SharedFile = SharedFile(layout)
	}
	return o
}

// Identity is who this machine is. It is safe for concurrent use.
type Identity struct {
	InstanceID string // mi-… for hybrid nodes
	Region     string
	Type       string // config.OnPrem, …
	// AvailabilityZone and InstanceType as reported: the word OnPrem for hybrid nodes, which send no zone in pings.
	AvailabilityZone, InstanceType string

	source credentials
	cfg    config.Config
	o      Options
}

// credentials gives credentials, and keeps them fresh where that is this process's work.
type credentials interface {
	aws.CredentialsProvider
	run(context.Context) error
	shared() share // the profile other programs may read; file empty: none
}

// kinds is the table of identity types: how one finds out whether it applies. An assume that finds nothing returns nil.
func kinds() map[string]func(installer.Layout, config.Config, Options) (*Identity, error) {
	return map[string]func(installer.Layout, config.Config, Options) (*Identity, error){
		config.OnPrem: assumeOnPrem,
		config.Custom: assumeCustom,
	}
}

// Load walks the order of the configuration; the first type that applies wins (docs/protocol/identity.md, "Identity types").
// When none does, the error is [ErrNotRegistered], or [ErrUnreadable] with what kept a type from being looked at, for example
// fs.ErrPermission of the vault.
func Load(layout installer.Layout, cfg config.Config, o Options) (*Identity, error) {
	o = o.complete(layout)
	var failures []error
	for _, name := range cfg.Identity.ConsumptionOrder {
		assume, ok := kinds()[name]
		if !ok {
			o.Log.Debug(fmt.Sprintf("Identity type '%s' is not supported by this version", name))
			continue
		}
		o.Log.Debug("Checking if agent identity type " + name + " can be assumed")
		id, err := assume(layout, cfg, o)
		if err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", name, err))
			continue
		}
		if id != nil {
			id.cfg, id.o = cfg, o
			o.Log.Info("Agent will take identity from " + name)
			return id, nil
		}
	}
	if len(failures) > 0 {
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, errors.Join(failures...))
	}
	return nil, ErrNotRegistered
}

// assumeOnPrem applies when the vault holds a complete registration.
func assumeOnPrem(layout installer.Layout, cfg config.Config, o Options) (*Identity, error) {
	v := vault{layout.Vault()}
	r, err := readRecord(v)
	if err != nil || !r.complete() {
		return nil, err
	}
	endpoint, err := cloud.Endpoint("ssm", r.Region, cfg.Agent.ServiceDomain, cfg.Ssm.Endpoint)
	if err != nil {
		return nil, err
	}
	k := &keeper{
		o: o, vault: v, record: r, endpoint: endpoint, userAgent: cloud.UserAgent(cfg.Agent.Name, cfg.Agent.Version),
		rotateDays: cfg.Profile.KeyAutoRotateDays, runtime: layout.RuntimeConfig(),
		prints: &fingerprints{vault: v, probe: thisMachine(), log: o.Log, pause: o.Pause},
	}
	if cfg.Profile.ShareCreds {
		k.share = share{o.SharedFile, cfg.Profile.ShareProfile}
	}
	k.start()
	return &Identity{InstanceID: r.InstanceID, Region: r.Region, Type: config.OnPrem, AvailabilityZone: config.OnPrem,
		InstanceType: config.OnPrem, source: k}, nil
}

// SharedFile is where credentials are shared with other programs: inside the installation when that is not the system's, so that no
// home is touched; else AWS_SHARED_CREDENTIALS_FILE, else .aws/credentials in the user's home (docs/protocol/identity.md, "Shared
// credentials file"). Empty when there is no home: then nothing is shared.
func SharedFile(layout installer.Layout) string {
	if !layout.System() {
		return layout.Credentials()
	}
	if file := os.Getenv("AWS_SHARED_CREDENTIALS_FILE"); file != "" {
		return file
	}
	home, err := os.UserHomeDir()
	if err != nil {
		u, err := user.Current()
		if err != nil || u.HomeDir == "" {
			return ""
		}
		home = u.HomeDir
	}
	return filepath.Join(home, ".aws", "credentials")
}

// Credentials sign as this machine, for what is no [Identity.Client]: the S3 sink of Run Command output, which comes later. They are
// remembered and usable at once when good ones are cached; else Retrieve asks for some, one request however many callers. It fails
// with what the service said, and does not ask again before the time the keeper waits for.
func (i *Identity) Credentials() aws.CredentialsProvider { return i.source }

// Run keeps the credentials fresh until the context ends: asks at half of their life, shares them, rotates the key. It is the
// agent's work ([Options.Keeper]); for an identity that needs none of it, it only waits. The error is the context's.
func (i *Identity) Run(ctx context.Context) error { return i.source.run(ctx) }

// ShortID names folders and log streams: the id, or the part behind the last "_" of one longer than 64 characters
// (docs/protocol/identity.md, "Instance id handling").
func (i *Identity) ShortID() string {
	if len(i.InstanceID) <= 64 {
		return i.InstanceID
	}
	return i.InstanceID[strings.LastIndexByte(i.InstanceID, '_')+1:]
}

// Environment is what child processes of scripts get, so that their AWS programs act as this machine: name=value of
// AWS_SHARED_CREDENTIALS_FILE and AWS_PROFILE, none when nothing is shared.
func (i *Identity) Environment() []string {
	s := i.source.shared()
	if s.file == "" {
		return nil
	}
	env := []string{"AWS_SHARED_CREDENTIALS_FILE=" + s.file}
	if s.profile != "" {
		env = append(env, "AWS_PROFILE="+s.profile)
	}
	return env
}
