package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/updater"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

const updaterUsage = `usage: updater run [--want V] [--allow-downgrade] [--if-running V] [--override] [--source URL [--once]]
                                                                    update this host
       updater run --request FILE                                   the same, as handed over by another program
       updater check with the same flags                            what run would do, as one JSON object
       updater resume                                               go on with whatever an updater left
       updater keep-floor                                           before a package replaces its version: keep that as the fallback
       updater takeover                                             go on with an exchange of this agent and Amazon's
       updater -update ...                                          as the plugin of Amazon's agent starts its updater
--want: latest (default), stable, a version, a constraint such as '>=9.1', previous (go back, needs no network)
--if-running V: only where V runs; --override: whatever the policy of this host says
--source URL: address of a manifest; the settings count before it, unless --once says that it is for this one time
--root DIR: another installation than this program's own

run prints "taken <id>" when the request is recorded, "busy" while another update is under way; ssm-setup status shows the outcome.`

// resume wakes the updater where it has to go on.
func resume(layout installer.Layout) func() {
	return func() { _, _ = updater.Wake(layout) } // what goes wrong is tried again in a minute
}

// order is a command line of the updater.
type order struct {
	subcommand string
	layout     installer.Layout
	request    ledger.Request
	file       string
}

// runUpdater is the updater: a process of its own, of the version that runs.
func runUpdater(args []string) int {
	if run, ok := asOriginals(args); ok {
		return run(args)
	}
	o, err := parseOrder(args)
	if err != nil {
		fmt.Println(updaterUsage)
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		fmt.Fprintln(fault.Writer(os.Stderr), "error:", err)
		return 2
	}
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP, syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if o.subcommand == "keep-floor" {
		return keepFloor(o.layout)
	}
	log, closeLog := slog.New(slog.DiscardHandler), func() {}
	if o.subcommand != "check" { // which changes nothing on the disk
		log, closeLog = updateLog(o.layout)
	}
	defer closeLog()
	e, p, err := newEngineAndPorts(o.layout, log)
	if err != nil {
		return refuse(o, err)
	}
	p.looks = o.subcommand == "check"
	switch o.subcommand {
	case "check":
		return check(ctx, e, o.request)
	case "resume":
		err = e.Resume(ctx)
	case "run":
		if taken, failed := crossOver(ctx, e, o.request, log); taken {
			err = failed
			break
		}
		fallthrough
	default:
		_, err = e.Run(ctx, o.request, func(line string) { fmt.Println(line) })
	}
	if err != nil {
		log.Error("the updater ends", "subcommand", o.subcommand, "error", err)
		return 1
	}
	return 0
}

func parseOrder(args []string) (o order, err error) {
	if len(args) == 0 {
		return o, errors.New("a subcommand is missing")
	}
	o.subcommand = args[0]
	switch o.subcommand {
	case "run", "check", "resume", "keep-floor":
	case "help", "-h", "-help", "--help":
		return o, flag.ErrHelp
	default:
		return o, fmt.Errorf("there is no subcommand %q", o.subcommand)
	}
	var root string
	set := flag.NewFlagSet("updater", flag.ContinueOnError)
	set.SetOutput(nowhere{})
	set.StringVar(&root, "root", "", "")
	set.StringVar(&o.file, "request", "", "")
	set.StringVar(&o.request.Want, "want", "", "")
	set.BoolVar(&o.request.AllowDowngrade, "allow-downgrade", false, "")
	set.BoolVar(&o.request.Override, "override", false, "")
	set.Func("if-running", "", func(text string) (err error) {
		o.request.IfRunning, err = manifests.ParseVersion(text)
		return err
	})
	set.StringVar(&o.request.Source, "source", "", "")
	set.BoolVar(&o.request.Once, "once", false, "")
	set.StringVar(&o.request.Why, "why", ledger.ByCommandLine, "")
	if err := set.Parse(args[1:]); err != nil {
		return o, err
	}
	if set.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", set.Arg(0))
	}
	if o.file != "" {
		if o.request, err = ledger.ReadRequest(o.file); err != nil {
			return o, err
		}
	}
	if root != "" {
		o.layout = installer.At(root)
		return o, nil
	}
	o.layout, err = installer.Here()
	return o, err
}

type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }

// refuse tells the program that waits for the first line that nothing comes of it.
func refuse(o order, err error) int {
	if o.subcommand == "run" {
		fmt.Println("refused " + err.Error())
	}
	return sorry(err, "")
}

func check(ctx context.Context, e *updater.Engine, r ledger.Request) int {
	c, err := e.Check(ctx, r)
	if err != nil {
		return sorry(err, "")
	}
	if err := json.NewEncoder(os.Stdout).Encode(c); err != nil {
		return sorry(err, "")
	}
	return 0
}
