package machine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/current"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/rules"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/originals"
	"github.com/ssm-setup/ssm-setup/installer/timer"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
	"github.com/ssm-setup/ssm-setup/updater/policy"
	"github.com/ssm-setup/ssm-setup/updater/schedule"
)

// leaveTimer ends what a timer of Amazon's agent does on a machine that has this project's by now, which stays current by itself.
func leaveTimer(c *cli.Context) error {
	if c.String("root") != "" {
		return terminal.Usage("--scheduled is for the system, and not for an installation under a root")
	}
	if rehearsed(c) {
		rehearse(terminal.Of(c), "remove the timer of Amazon's agent: this project's agent stays current by itself", nil)
		return nil
	}
	if err := current.LeaveOriginal(c.Context); err != nil {
		return err
	}
	terminal.Of(c).Result(map[string]any{"kind": manifests.Elsewhere, "success": true},
		"this project's agent stays current by itself: the timer of Amazon's agent was removed")
	return nil
}

// permitOriginal is what an update of Amazon's agent has to obey: the policy of the host, and with --scheduled the region's index, too.
func permitOriginal(c *cli.Context, a *originals.Agent, s originals.Source) (func(manifests.Decision) manifests.Decision, error) {
	if !c.Bool("scheduled") {
		return rules.Obeys(a.Layout, ledger.ByCommandLine, c.String("version"), c.Bool("override")), nil
	}
	id, _, _ := a.Ports.Registered(a.Layout)
	name, _ := os.Hostname()
	id = cmp.Or(id, name)
	if !rehearsed(c) {
		if err := awaitWindow(c.Context, a.Layout, id); err != nil {
			return nil, terminal.Cannot("update", amazonsAgent, err)
		}
	}
	index, err := indexOf(c.Context, s.Client())
	if err != nil {
		return nil, terminal.Cannot("update", amazonsAgent, fmt.Errorf("the region's index, without which no host updates by itself: %w", err))
	}
	obeys := rules.Obeys(a.Layout, ledger.ByTimer, c.String("version"), false)
	return func(d manifests.Decision) manifests.Decision {
		if d = obeys(d); !d.Changes() {
			return d
		}
		return scheduled(id, index, d)
	}, nil
}

// scheduled is a decision as the region's index leaves it for a host that no person told to update.
func scheduled(id string, index *manifests.Index, d manifests.Decision) manifests.Decision {
	seen := schedule.Seen{Version: d.Target, Percent: index.Rollout(d.Target).Share()}
	if index != nil && index.Halted != nil {
		seen.Halted, seen.Reason = true, index.Halted.Reason
	}
	v := schedule.Decide(id, d.Running, seen)
	if v.Ask {
		return d
	}
	row, _ := policy.ReasonFor(v.Code)
	text := row.Means
	if seen.Halted && seen.Reason != "" {
		text += ": " + seen.Reason
	}
	d.Kind, d.Success, d.Code, d.Hints = manifests.Kind(v.Code), true, "", nil
	d.Lines = []string{"update skipped"}
	d.Detail = fmt.Sprintf("%s; it stays at %s, and %s waits", text, d.Running, d.Target)
	return d
}

// indexOf reads the index of a source; nil where it has none.
func indexOf(ctx context.Context, client *bucket.Client) (*manifests.Index, error) {
	text, err := client.Small(ctx, regions.IndexKey, manifests.MaxIndex)
	if errors.Is(err, bucket.ErrMissing) || errors.Is(err, bucket.ErrDenied) || errors.Is(err, bucket.ErrNotSigned) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return manifests.ParseIndex(text)
}

// awaitWindow waits for this host's place in the next maintenance window where that opens before the timer runs the program again.
func awaitWindow(ctx context.Context, l installer.Layout, id string) error {
	p, err := policy.Read(l)
	if err != nil || len(p.Windows) == 0 {
		return nil //nolint:nilerr // a policy that cannot be read allows nothing, which is said later
	}
	now := time.Now()
	at := schedule.Inside(id, p.Opening, now)
	if at.Sub(now) > timer.Every*time.Hour {
		return nil
	}
	for wait := time.Until(at); wait > 0; wait = time.Until(at) { // in naps: clocks are set, and machines sleep
		if err := host.Sleep(ctx, min(wait, 10*time.Minute)); err != nil {
			return err
		}
	}
	return nil
}
