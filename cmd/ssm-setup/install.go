package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

func installVerb() *cli.Command {
	return &cli.Command{
		Name:  "install",
		Usage: "install the agent from a region, register it, start it and wait until it is healthy",
		Description: "Picks the package for this system (deb, rpm; with --root the portable archive), checks it against the region's\n" +
			"manifest, and says what it did. Running it again is harmless and finishes what was interrupted. Under --root a detached\n" +
			"launcher is started, with a clean environment; it does not survive a reboot.",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "region", Usage: "region to install from and to register in", Required: true},
			&cli.StringFlag{Name: "version", Usage: "a version, latest, stable, or a constraint such as '>=9.1'; default what is installed, else the newest"},
			&cli.StringFlag{Name: "endpoint", Usage: "address `URL` that stands in for the region's services, for a local region; or the folder of a mirror"},
			rootFlag(),
			&cli.BoolFlag{Name: "allow-downgrade", Usage: "accept a version older than the installed one"},
			&cli.BoolFlag{Name: "allow-unknown-region", Usage: "accept a region name that is not in the table"},
			waitFlag(),
		}, activationFlags()...),
		Action: install,
	}
}

// installing is one run of the verb.
type installing struct {
	ctx    context.Context
	v      *voice
	layout installer.Layout

	region, endpoint, want string
	allowDowngrade         bool
	activation             activation
	override               bool                                            // register anew, also where another region knows this machine
	base                   string                                          // the bucket, where it is not that of region and endpoint
	stick                  string                                          // folder of a mirror that packages come from
	more                   map[string]any                                  // further settings
	inspect                func(archive string, v manifests.Version) error // looks at a downloaded package, may be nil
	tries                  int                                             // of starting the service; 0 is one
	patience               time.Duration

	way     packaging
	client  *bucket.Client
	source  string // address of the region's manifest
	offer   offer
	archive string // the downloaded package
	before  before
	record  record
	goingOn bool // an earlier run was interrupted
	changed bool // package, settings or registration: the agent has to be started anew
	floor   manifests.Version
	started time.Time // when the agent was started anew; zero: it went on running

	result installResult
}

type installResult struct {
	Version    string  `json:"version"`
	Format     string  `json:"format"`
	Region     string  `json:"region"`
	Source     string  `json:"source"`
	Root       string  `json:"root,omitempty"`
	Installed  bool    `json:"installed"` // by this run; false: it was there
	InstanceID string  `json:"instance_id"`
	Registered bool    `json:"registered"` // by this run
	Service    string  `json:"service"`    // none under a root: a detached launcher
	Running    bool    `json:"running"`
	Healthy    bool    `json:"healthy"`
	Seconds    float64 `json:"seconds"`
}

// installStops are an installation, in order. What a stop did is undone, last first, when a later one fails, up to the stop
// from which on the installation stands.
var installStops = []struct {
	do   func(*installing) error
	undo func(*installing)
}{
	{(*installing).choose, nil},
	{(*installing).note, (*installing).unnote},
	{(*installing).fetch, nil},
	{(*installing).settings, (*installing).unsettle},
	{(*installing).put, (*installing).take},
	{(*installing).register, nil},
	{(*installing).start, nil},
}

func install(c *cli.Context) error {
	began := time.Now()
	i, err := newInstalling(c)
	if err != nil {
		return err
	}
	if dir, ok := stickOf(i.endpoint); ok {
		unplug, err := i.plug(dir)
		if err != nil {
			return cannot("read", dir, err)
		}
		defer unplug()
	}
	if err := i.run(); err != nil {
		return refusedBy(cannot("install", "the agent on "+where(i.layout)+" from region "+i.region, err))
	}
	if err := i.await(); err != nil {
		return cannot("see", "the agent of "+where(i.layout)+" become healthy", err)
	}
	i.result.Seconds = time.Since(began).Seconds()
	i.v.result(i.result, "%s", i.text())
	return nil
}

// run goes through the stops, under the lock.
func (i *installing) run() error {
	release, err := i.open()
	if err != nil {
		return err
	}
	defer release()
	for n, stop := range installStops {
		if err = stop.do(i); err != nil || i.ctx.Err() != nil {
			err = errors.Join(err, i.ctx.Err())
			for ; n >= 0; n-- {
				if undo := installStops[n].undo; undo != nil {
					undo(i)
				}
			}
			return err
		}
	}
	i.record.Done = time.Now().UTC()
	return writeRecord(i.layout, i.record)
}

func newInstalling(c *cli.Context) (*installing, error) {
	i := &installing{ctx: c.Context, v: speak(c), region: c.String("region"), endpoint: c.String("endpoint"), want: c.String("version"),
		allowDowngrade: c.Bool("allow-downgrade"), patience: c.Duration("wait")}
	var err error
	if err = checkRegion(i.region, i.endpoint, c.Bool("allow-unknown-region")); err != nil {
		return nil, err
	}
	if i.layout, err = layoutOf(c); err != nil {
		return nil, err
	}
	if i.want != "" && !isWord(i.want) {
		if _, err := manifests.ParseConstraint(i.want); err != nil {
			return nil, usage("--version: %v", err)
		}
	}
	i.activation, err = activationOf(c, i.v.in)
	return i, err
}

func isWord(want string) bool { return want == "latest" || want == "stable" }

// open looks around, refuses what must not be, and takes the lock.
func (i *installing) open() (release func(), err error) {
	if err := refuseSystem(i.layout); err != nil {
		return nil, err
	}
	if err := mayChange(i.layout); err != nil {
		return nil, err
	}
	if err := refuseOriginal(i.layout); err != nil {
		return nil, err
	}
	if err := refuseLoose(i.layout); err != nil {
		return nil, err
	}
	if i.before, err = lookBefore(i.layout); err != nil {
		return nil, err
	}
	unlock, err := lockInstallation(i.layout)
	if err != nil {
		return nil, err
	}
	if old := readRecord(i.layout); !old.Began.IsZero() && old.Done.IsZero() {
		i.before, i.goingOn = old.Before, true
		i.v.step("going on with the installation of %s begun at %s", old.Version, old.Began.Local().Format("2006-01-02 15:04:05"))
	}
	return func() {
		defer unlock()
		if !exists(recordFile(i.layout)) && !i.before.Agent {
			i.prune()
		}
	}, nil
}

// prune removes what taking a lock made, where nothing was installed.
func (i *installing) prune() {
	if !i.before.Data {
		os.RemoveAll(i.layout.Data())
	}
	if !i.before.Logs {
		os.RemoveAll(i.layout.Logs())
	}
	for _, dir := range []string{i.layout.Data(), i.layout.Logs(), i.layout.ConfigDir(), i.layout.BinDir(), i.layout.Root} {
		emptyUp(i.layout, dir, !i.before.Root)
	}
}

// text is the outcome for people.
func (i *installing) text() string {
	r := i.result
	verb := "installed"
	if !r.Installed {
		verb = "already installed:"
	}
	s := fmt.Sprintf("%s amazon-ssm-agent %s (%s) on %s from region %s", verb, r.Version, r.Format, where(i.layout), r.Region)
	switch {
	case r.InstanceID == "":
		s += "\nnot registered: run ssm-setup register --region " + r.Region + rootArgument(i.layout) + " with an activation"
	case r.Registered:
		s += "\nregistered as " + r.InstanceID
	default:
		s += "\nregistered before, as " + r.InstanceID
	}
	switch {
	case r.Healthy:
		s += ", healthy"
	case !r.Running:
		s += "\nno service manager runs here, so nothing was started: run " + i.layout.Launcher() + " as the container's main process"
	}
	if !i.layout.System() {
		s += "\nit does not survive a reboot; run the same command again to start it"
	}
	return s + fmt.Sprintf("\nall done after %.1f s", r.Seconds)
}

func rootArgument(l installer.Layout) string {
	if l.System() {
		return ""
	}
	return " --root " + l.Root
}
