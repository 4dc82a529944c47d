package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/agent/timetable"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/anchor"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/regions/trust"
	"github.com/ssm-setup/ssm-setup/updater"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
	"github.com/ssm-setup/ssm-setup/updater/policy"
	"github.com/ssm-setup/ssm-setup/updater/schedule"
)

// lookForReleases is the agent's loop of scheduled updates, for one identity. Where the settings ask for none, or the source is not to be
// followed, the log says so and it ends.
func lookForReleases(l installer.Layout) func(context.Context, config.Config, *identity.Identity, *http.Client, *slog.Logger) {
	return func(ctx context.Context, cfg config.Config, id *identity.Identity, client *http.Client, log *slog.Logger) {
		if cfg.OnlyCommands {
			return
		}
		p := &ports{layout: l, cfg: cfg, http: client, log: log, region: id.Region}
		if loop, ok := p.timetable(id.InstanceID); ok {
			loop.Run(ctx)
		}
	}
}

// timetable is what the settings ask for; false: nothing.
func (p *ports) timetable(host string) (timetable.Loop, bool) {
	running, _ := manifests.ParseVersion(stamp.Version())
	loop := timetable.Loop{Layout: p.layout, Host: host, Running: running, Log: p.log, After: retryAfter,
		Ask: func(want string, downgrade bool, last time.Time) error {
			return updater.Start(p.layout, ledger.Request{Want: want, AllowDowngrade: downgrade, Why: ledger.ByTimer, LastLook: last})
		},
		Hours: p.hours,
		Permit: func(now time.Time, seen schedule.Seen, last time.Time) (string, string, time.Time, bool) {
			rules, err := policy.Read(p.layout)
			if err != nil {
				return policy.Unreadable, err.Error(), time.Time{}, false
			}
			facts := policy.Facts{Why: ledger.ByTimer, Running: running, Published: seen.Published, LastLook: last}
			to, rescue := seen.Rescue(running)
			if facts.Rescue = rescue; !rescue {
				to = seen.Version
			}
			v := rules.Scheduled(now, to, facts)
			return v.Reason, v.Text, v.Until, v.Allowed
		},
		Busy: func(err error) bool { return errors.Is(err, updater.ErrBusy) },
	}
	if p.cfg.Agent.SelfUpdate {
		loop.SelfUpdate, loop.Unsupported = schedule.SelfUpdatePeriod(p.cfg.Agent.SelfUpdateScheduleDay), nanoServer()
	}
	source, err := packageSource(p.cfg, p.region, p.log)
	if source == "" || regions.AWSManifest(source, p.region) {
		source = localSource(p.cfg, p.region)
	}
	base := ""
	if err == nil && source != "" {
		base, err = regions.BaseOfManifest(source, p.region)
	}
	rooted := anchor.Signed(p.layout, trust.Watch{}) != nil
	if follow := p.cfg.Agent.StayCurrent; follow != "" && err == nil && base != "" {
		if loop.Trust, err = schedule.Trust(base, rooted); err == nil {
			loop.Follow, loop.Source, loop.Period = follow, source, schedule.Period(p.cfg.Agent.StayCurrentSeconds, base)
		}
	}
	if err != nil {
		p.log.Warn("no release is looked for", "error", err)
	}
	loop.Open = func() (schedule.Region, error) {
		c := p.reader(base, -1)
		return schedule.Region{Changed: c.IfChanged, Small: c.Small, Signed: rooted}, nil
	}
	loop.Listing = func(ctx context.Context) (manifests.Listing, error) {
		if base == "" {
			return manifests.Listing{}, errors.New("no source of updates is set")
		}
		m, err := p.reader(base, 0).Manifest(ctx)
		if err != nil {
			return manifests.Listing{}, err
		}
		return m.Listing(manifests.AgentPackage, manifests.PortableFile(runtime.GOOS, runtime.GOARCH))
	}
	return loop, loop.Follow != "" || loop.SelfUpdate > 0 || p.cfg.Agent.StayCurrent == ""
}

// hours are the maintenance windows of this host; nil: it has none.
func (p *ports) hours() schedule.Hours {
	if rules, err := policy.Read(p.layout); err == nil && len(rules.Windows) > 0 {
		return rules.Opening
	}
	return nil
}

// retryAfter is how long a region's error asks to wait.
func retryAfter(err error) time.Duration {
	if s := (*bucket.StatusError)(nil); errors.As(err, &s) {
		return s.Retry
	}
	return 0
}
