package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/updater"
)

const packageUsage = `usage: package prepare [-undo]                      the folders of data, and what updates need
       package wait                                 until the stopped service's processes are gone
       package recovery                             have the service started again whenever it dies
       package settings [-region R] [-endpoint URL] [-source S] [-allow-insecure]   write where updates come from and the services' address
       package settings -undo | -keep                the settings as they were before, or that copy away
       package register [-prepare | -undo]          with the activation that the package wrote down; the place for it, made and removed
       package forget -product CODE                 remove what updates put beside this version
Packages for systems without a shell call these while they install or remove the agent.`

// runPackage is what a package asks of the agent that it installs or removes.
func runPackage(args []string) int {
	layout, err := installer.Here()
	switch {
	case err != nil:
	case len(args) > 0 && args[0] == "settings":
		err = packageSettings(layout, args[1:])
	case len(args) > 0 && args[0] == "register":
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		err = packageRegister(ctx, args[1:])
	case len(args) == 1 && args[0] == "prepare":
		err = packagePrepare(layout)
	case len(args) == 2 && args[0] == "prepare" && args[1] == "-undo":
		err = showOthers()
	case len(args) == 1 && args[0] == "wait":
		err = awaitEnd(layout)
	case len(args) == 1 && args[0] == "recovery":
		err = setRecovery()
	case len(args) == 3 && args[0] == "forget" && args[1] == "-product":
		if replaced(args[2]) {
			fmt.Println("another package is in its place; everything stays")
			break
		}
		err = errors.Join(packageForget(layout), showOthers())
	default:
		fmt.Fprintln(os.Stderr, packageUsage)
		return 2
	}
	if err != nil {
		fmt.Fprintln(fault.Writer(os.Stderr), "error:", err)
		return 1
	}
	return 0
}

// packageSettings writes the settings that `ssm-setup install` would write. The file as it was lies beside it until -keep.
func packageSettings(l installer.Layout, args []string) error {
	set := flag.NewFlagSet("package settings", flag.ContinueOnError)
	region, endpoint := set.String("region", "", "region"), set.String("endpoint", "", "address of all services")
	named := set.String("source", "", "where packages come from; default the endpoint, else the region's own bucket")
	var insecure consent
	set.Var(&insecure, "allow-insecure", "accept an address that is plain http to another machine")
	undo, keep := set.Bool("undo", false, "bring the settings back"), set.Bool("keep", false, "remove the copy")
	if err := set.Parse(args); err != nil {
		return err
	}
	path := l.ConfigFile()
	before := path + ".before"
	switch {
	case *keep:
		return dropped(before)
	case *undo:
		return bringBack(before, path)
	}
	values := map[string]any{}
	if err := checkEndpoint(l, *endpoint, bool(insecure)); err != nil {
		return err
	}
	if *region == "" && *named != "" {
		return errors.New("a source is one of a region: name that, too")
	}
	if *region != "" {
		source, err := sourceSettings(l, *named, *region, *endpoint, bool(insecure))
		if err != nil {
			return err
		}
		maps.Copy(values, source)
	}
	if *endpoint != "" {
		for _, section := range []string{"Ssm", "Mds", "Mgs", "S3"} {
			values[section+".Endpoint"] = regions.WithScheme(*endpoint)
		}
	}
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := host.WriteFile(before, old, 0o600); err != nil { // empty: there was none
		return err
	}
	return config.Set(path, values)
}

// sourceSettings are the settings of the source that is named, which is remembered: a folder must be one that no other account changes.
// One that the settings have goes on working, plain http or not.
func sourceSettings(l installer.Layout, named, region, endpoint string, insecure bool) (map[string]any, error) {
	if folder, cut := strings.CutSuffix(named, `"`); cut {
		named = folder + `\` // "D:\mirror\" on a command line of Windows: the backslash makes the last quote a part of the text
	}
	source, err := regions.ParseSource(named)
	if err != nil {
		return nil, err
	}
	manifest, err := source.ManifestURL(region, endpoint)
	if err != nil {
		return nil, err
	}
	cfg, err := config.Load(l.ConfigFile())
	if err := source.CheckNew(insecure || err == nil && cfg.Agent.UpdateSource == manifest); err != nil {
		return nil, err
	}
	if dir, ok := source.Directory(); ok {
		if !filepath.IsAbs(dir) {
			return nil, fmt.Errorf("the source %s is no whole path of a folder", dir)
		}
		if err := host.CheckFolders(dir, dir); err != nil {
			return nil, err
		}
	}
	return source.Settings(manifest), nil
}

// consent is a flag by which a package accepts plain http: bare, or with the value of a package's property, which may be empty.
type consent bool

// IsBoolFlag lets the flag stand without a value.
func (*consent) IsBoolFlag() bool { return true }

func (c *consent) String() string { return fmt.Sprint(bool(*c)) }

// Set takes the values of the property ALLOW_INSECURE: 1 or yes, and 0, no or nothing.
func (c *consent) Set(value string) error {
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "1", "yes", "true":
		*c = true
	case "", "0", "no", "false":
		*c = false
	default:
		return errors.New("it takes 1 or nothing")
	}
	return nil
}

// checkEndpoint refuses a new address that is plain http to another machine. One that the settings have goes on working.
func checkEndpoint(l installer.Layout, endpoint string, allowInsecure bool) error {
	cfg, err := config.Load(l.ConfigFile())
	return regions.CheckNew(endpoint, allowInsecure || err == nil && cfg.Ssm.Endpoint == regions.WithScheme(endpoint))
}

// bringBack undoes [packageSettings]; without a copy nothing was written.
func bringBack(before, path string) error {
	old, err := os.ReadFile(before)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case len(old) == 0:
		return errors.Join(dropped(path), dropped(before))
	}
	return os.Rename(before, path)
}

func dropped(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// packageForget removes versions beside the floor and all that leads to them; data, logs, settings and the registration stay.
// An update that has not switched is ended, another one is given a minute to end.
func packageForget(l installer.Layout) error {
	_, err := updater.EndPending(l)
	if err != nil {
		return err
	}
	lock, err := installer.LockUpdate(l)
	for end := time.Now().Add(time.Minute); errors.Is(err, installer.ErrBusy) && time.Now().Before(end); {
		time.Sleep(time.Second)
		lock, err = installer.LockUpdate(l)
	}
	if err != nil {
		return err
	}
	p := l.Pointer()
	var errs []error
	for _, path := range []string{l.StoreDir(), p.SlotDir(), p.ProbationDir(), l.Ledger(), l.Decisions(), l.Pulse(), l.UpdateRoot(),
		l.Facts(), l.Download(), l.PidFile()} {
		errs = append(errs, os.RemoveAll(path))
	}
	errs = append(errs, lock.Release())
	for range 20 { // Windows removes nothing that is in use, and a service that ends may still hold its lock
		if os.RemoveAll(filepath.Dir(p.AgentLock())) == nil {
			break
		}
		time.Sleep(250 * time.Millisecond)
	}
	return errors.Join(errs...)
}
