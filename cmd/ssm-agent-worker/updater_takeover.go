package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/mailbox"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
	"github.com/ssm-setup/ssm-setup/installer/timer"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/updater"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
	"github.com/ssm-setup/ssm-setup/updater/takeover"
)

// asOriginals finds the command lines of an exchange of agents: flags alone, as the original's plugin has them, or the keeper's word.
// A sole request for help is that of our own subcommands.
func asOriginals(args []string) (run func([]string) int, ok bool) {
	switch {
	case len(args) == 0:
		return nil, false
	case args[0] == "takeover":
		return goOnTakingOver, true
	case len(args) == 1 && strings.Contains(" -h -help --help ", " "+args[0]+" "):
		return nil, false
	}
	return takeOver, strings.HasPrefix(args[0], "-")
}

// handOver is how long the plugin may take to hand the update lock to this process (docs/protocol/update.md, "Updater command line").
const handOver = 3 * time.Second

// takeOver is the original's updater: its order at the start, and its exit codes, which never tell the result.
func takeOver(args []string) int {
	o, err := takeover.ParseOrder(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, takeover.Usage)
		return 0
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s\n", err, takeover.Usage)
		return 2
	}
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP, syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	layout := installer.At("")
	log, closeLog := updateLog(layout)
	defer closeLog()
	log.Info("started as the updater of an original agent", "version", stamp.Version(), "source", o.Source, "target", o.Target)
	e, err := newTakeover(layout, log)
	if err == nil {
		_, err = e.Identity()
	}
	if err != nil {
		log.Error("cannot tell which node this is", "error", err)
		return 1
	}
	if host.Sleep(ctx, handOver) != nil {
		return 0
	}
	if !o.Update {
		log.Error("-update is missing")
		fmt.Fprintln(os.Stderr, takeover.Usage)
		return 0
	}
	if missing := o.Missing(); len(missing) > 0 {
		log.Error("flags are missing", "flags", missing)
		fmt.Fprintln(os.Stderr, takeover.Usage)
	}
	if err := e.Take(ctx, o); err != nil {
		log.Error("the updater ends", "error", err)
	}
	return 0
}

// goOnTakingOver is the keeper.
func goOnTakingOver([]string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	layout := installer.At("")
	log, closeLog := updateLog(layout)
	defer closeLog()
	e, err := newTakeover(layout, log)
	if err == nil {
		err = e.Resume(ctx)
	}
	if err != nil && ctx.Err() == nil {
		log.Error("the exchange of agents is not done", "error", err)
		return 1
	}
	return 0
}

// crossOver brings a request to its end that leads from this agent to Amazon's. taken: it did, or could not.
func crossOver(ctx context.Context, e *updater.Engine, r ledger.Request, log *slog.Logger) (taken bool, err error) {
	if !takeover.Crosses(r) || !e.Layout.System() {
		return false, nil
	}
	t, err := newTakeover(e.Layout, log)
	if err != nil {
		return false, nil //nolint:nilerr // the engine says why
	}
	manifest := originalsManifest(ctx, t, e.Settings, r)
	if manifest == "" {
		return false, nil
	}
	running := stamp.Version()
	if pulse, err := installer.ReadPulse(e.Layout.Pulse()); err == nil && pulse.Version != "" {
		running = pulse.Version
	}
	home := strings.ReplaceAll(cmp.Or(e.Settings.Source, e.Settings.LocalSource), "{Region}", e.Settings.Region)
	return true, t.Leave(ctx, r, running, manifest, home, func(line string) { fmt.Println(line) })
}

// originalsManifest is the manifest that has the original's version: that of the settings, where it lists it; else the document's, where it
// is Amazon's own of the region or the host's own region. Empty: neither counts.
func originalsManifest(ctx context.Context, t *takeover.Engine, s updater.Settings, r ledger.Request) string {
	fill := strings.NewReplacer("{Region}", s.Region)
	own, asked := fill.Replace(s.Source), fill.Replace(r.Source)
	if own != "" && t.Lists(ctx, own, r.Want) {
		return own
	}
	if asked != "" && (regions.AWSManifest(asked, s.Region) || asked == fill.Replace(s.LocalSource)) {
		return asked
	}
	return own
}

// newTakeover ties the exchange of agents to this host's region, as newEngineAndPorts does the updater.
func newTakeover(l installer.Layout, log *slog.Logger) (*takeover.Engine, error) {
	e, p, err := newEngineAndPorts(l, log)
	if err != nil {
		return nil, err
	}
	late := mailbox.LateFor(mailbox.EC2Messages, p.machine)
	return &takeover.Engine{
		Layout: l, System: takeover.Here(l), Agent: e.Settings.Agent, Region: p.region, Log: log,
		Open: func(ctx context.Context, url string) (takeover.Source, error) {
			s, err := p.open(ctx, strings.ReplaceAll(url, "{Region}", p.region))
			return takeover.Source{Manifest: s.Manifest, Stable: s.Stable, URL: s.URL, Fetch: s.Fetch}, err
		},
		Reporter: takeover.Reporter{Reply: late.Reply, Delete: late.Delete, Health: p.health, Upload: p.upload},
		Gone:     func(err error) bool { return errors.Is(err, mailbox.ErrGone) },
		Probe:    p.probe,
		Rate:     e.Settings.LimitRate,
		Amazon:   amazonsManifest(p.region),
		Identity: p.instance,
		Forget:   func() error { return forgetOurs(l) },
		Arrived:  timer.Timer{}.Remove,
	}, nil
}

// amazonsManifest is the manifest of Amazon's own bucket of a region; empty: it is none of theirs.
func amazonsManifest(region string) string {
	if region == regions.Local || !regions.Known(region) {
		return ""
	}
	url, err := regions.ManifestURL(region, "", "")
	if err != nil {
		return ""
	}
	return url
}

// forgetOurs removes what updates put beside a package of ours that is there no more, and all that leads to it.
func forgetOurs(l installer.Layout) error {
	p := l.Pointer()
	var errs []error
	for _, path := range []string{l.StoreDir(), p.SlotDir(), p.ProbationDir(), l.Ledger(), l.Pulse(), l.Facts(), l.PidFile()} {
		errs = append(errs, os.RemoveAll(path))
	}
	return errors.Join(errs...)
}
