package setup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/proxy"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// Installation is the agent of one place, installed or to be installed there.
type Installation struct {
	installer.Layout
	Ports Ports
}

// Ports are what this room needs from the agent and from its caller, as functions. All but EndPending and Probe are needed.
type Ports struct {
	// Registered is the node's id and region; both empty, without an error, where there is no registration.
	Registered func(l installer.Layout) (instanceID, region string, err error)
	// Configure sets values, named Section.Key, in a configuration file, and makes the file where it is missing.
	Configure func(file string, values map[string]any) error
	// UpdateEnded tells whether an update ended less than age ago and none is open: its updater may still hold the lock.
	UpdateEnded func(l installer.Layout, age time.Duration) bool

	// EndPending ends an updater at work that has not switched versions: a removal does not wait for its download. Nil: none is ended.
	EndPending func(l installer.Layout) (ended bool, err error)

	// Probe makes one round trip to the service as this node; its error says what the region answers. Nil: none is made.
	Probe func(ctx context.Context, l installer.Layout) error

	// Step tells people of one thing done.
	Step func(format string, args ...any)
	// Progress begins a long thing; the function it returns is told how many bytes are done, of how many (0: not known).
	Progress func(what string) func(done, total int64)
}

// Options say what to install and how.
type Options struct {
	Region         string
	Source         regions.Source // where packages come from; zero: what the host remembers, else the region's own bucket
	Endpoint       string         // address that stands in for the region's services; may be empty
	Version        string         // a version, latest, stable or a constraint; empty: what is installed, else the newest
	AllowDowngrade bool
	Activation     Activation     // what to register with; may be empty
	Override       bool           // register anew, also where another region knows this machine
	AllowInsecure  bool           // accept a new Source or Endpoint that is plain http to another machine
	Proxy          *proxy.Address // written down for the service; nil: what is there stays
	Authority      string         // file with the certificate of the region's own authority; empty: none is kept for a region of AWS
	TakeOver       bool           // an original that is installed is replaced in place; the caller holds the update lock, and goes back
	Trust          []byte         // root of trust to pin: from then on nothing unsigned is taken; nil: what is pinned or baked in stays
	Base           string         // address of the bucket, where it is not that of source and region
	Settings       map[string]any // further settings, as for Configure
	// Current are settings of what the agent follows by itself. It is told the address of the manifest, and whether this machine had no
	// agent before and no such setting; an error ends the installation before anything is changed. Nil: none are made.
	Current func(manifest string, isNew bool) (map[string]any, error)
	// Permit tells whether the host's policy lets a version take the place of the installed one; its error ends the installation before
	// anything is changed. Nil: it lets all.
	Permit func(v manifests.Version) error
	Tries  int // how often to try to start the service; 0 is once

	// Inspect looks at a downloaded package before it is put in; may be nil.
	Inspect func(archive string, v manifests.Version) error
}

// Result is what an installation did; its JSON is the answer of `ssm-setup install --json`.
type Result struct {
	Version    string  `json:"version"`
	Newer      string  `json:"newer_elsewhere,omitempty"` // a newer version that has no package for this system
	Format     string  `json:"format"`
	Region     string  `json:"region"`
	Source     string  `json:"source"` // address of the region's manifest, or the bucket's folder
	Root       string  `json:"root,omitempty"`
	Installed  bool    `json:"installed"` // by this run; false: it was there
	InstanceID string  `json:"instance_id"`
	Registered bool    `json:"registered"` // by this run
	Service    string  `json:"service"`    // none under a root: a detached launcher
	Running    bool    `json:"running"`
	Boot       string  `json:"boot,omitempty"`      // enabled: the service comes back after a reboot; disabled, masked: it does not
	Healthy    bool    `json:"healthy"`             // set by the caller, after AwaitPing
	Seconds    float64 `json:"seconds"`             // set by the caller
	Agent      string  `json:"agent"`               // ours, original
	Signature  string  `json:"signature,omitempty"` // of an original's package: what is known of who made it
	Confirmed  bool    `json:"confirmed_by_service,omitempty"`

	Trust         string `json:"trust,omitempty"`          // the root that verified the source, in words; empty: none did
	PackageSource string `json:"package_source,omitempty"` // the source as people write it; empty: the region's own bucket

	Started time.Time `json:"-"` // when the agent was started anew; zero: it went on running
}

// run is one installation under way.
type run struct {
	Installation
	Options
	ctx context.Context

	remembered bool // the source is what the host had

	way     Packaging // how the package is put in
	client  *bucket.Client
	source  string // address of the region's manifest
	offer   Offer
	archive string // the downloaded package
	before  before
	record  record
	goingOn bool              // an earlier run was interrupted
	changed bool              // package, settings or registration: the agent has to be started anew
	current manifests.Version // version of the installed package; zero: none

	pinned bool          // the root, by this run
	signed bucket.Signed // how the region is verified; nil: it is not

	formerProxy     func() error             // brings back the proxy that was kept; nil: this run has written none
	formerAuthority func(systemd bool) error // the same of the authority

	result Result
}

// stops are an installation, in order. What a stop did is undone, last first, when a later one fails, up to the stop from which
// on the installation stands.
var stops = []struct {
	do   func(*run) error
	undo func(*run)
}{
	{(*run).pin, (*run).unpin},
	{(*run).resolve, nil},
	{(*run).writeRecord, (*run).dropRecord},
	{(*run).fetch, nil},
	{(*run).applySettings, (*run).restoreSettings},
	{(*run).install, (*run).remove},
	{(*run).keepProxy, (*run).restoreProxy},
	{(*run).keepAuthority, (*run).restoreAuthority},
	{(*run).ready, nil},
	{(*run).register, nil},
	{(*run).start, nil},
}

// Kept says of a run that failed after its registration what becomes of that: an activation that was used up is not given back, so
// the registration stays, and the next try goes on with the node that is there.
func Kept(region, instanceID string) string {
	return fmt.Sprintf("the registration as %s stays, the next try needs no activation; to give it up: "+
		"aws ssm deregister-managed-instance --region %s --instance-id %[1]s", instanceID, region)
}

// Install goes through the stops, under the update lock. It does not wait until the agent is healthy: see [Installation.AwaitPing].
func (i Installation) Install(ctx context.Context, o Options) (Result, error) {
	r := &run{Installation: i, Options: o, ctx: ctx}
	r.chooseSource()
	if err := r.checkAddresses(); err != nil {
		return r.result, err
	}
	release, err := r.open()
	if err != nil {
		return r.result, err
	}
	defer release()
	for n, stop := range stops {
		if err := stop.do(r); err != nil || ctx.Err() != nil {
			for ; n >= 0; n-- {
				if undo := stops[n].undo; undo != nil {
					undo(r)
				}
			}
			if r.result.Registered {
				r.Ports.Step("%s", Kept(r.Region, r.result.InstanceID))
			}
			return r.result, errors.Join(err, ctx.Err())
		}
	}
	r.record.Done = time.Now().UTC()
	return r.result, writeRecord(i.Layout, r.record)
}
