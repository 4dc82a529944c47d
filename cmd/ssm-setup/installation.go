package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests/fault"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/systems"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/updater"
)

// Faults of an installation.
var (
	errNotInstalled = fault.New(fault.Refused, "there is no installation", "run ssm-setup install first")
	errOriginal     = fault.New(fault.Refused, "the original agent is installed on this system",
		"remove the original agent first, or use --root with a folder of your own; its registration stays usable")
	errNotRoot = fault.New(fault.Permission, "this changes the system and needs root", "")
)

func rootFlag() cli.Flag {
	return &cli.StringFlag{Name: "root", Usage: "installation in the folder `DIR`, which needs no privileges and no service manager; default the system"}
}

// layoutOf is the installation that --root names.
func layoutOf(c *cli.Context) (installer.Layout, error) {
	if c.IsSet("root") && c.String("root") == "" {
		return installer.Layout{}, usage("--root is empty")
	}
	return installer.At(c.String("root")), nil
}

// where names an installation for people.
func where(l installer.Layout) string {
	if l.System() {
		return "this system"
	}
	return l.Root
}

// floorOf is the version of the installed package; zero and no error where there is none.
func floorOf(l installer.Layout) (manifests.Version, error) {
	v, err := pack.VersionOf(l.Launcher())
	if errors.Is(err, pack.ErrNoBinary) {
		return manifests.Version{}, nil
	}
	if errors.Is(err, pack.ErrVersion) {
		return v, fmt.Errorf("%w: %s", errOriginal, l.Launcher())
	}
	return v, err
}

// refuseOriginal fails where another project's agent would share the system with ours. One outside of --root is let be.
func refuseOriginal(l installer.Layout) error {
	if _, err := floorOf(l); err != nil {
		return err
	}
	if !l.System() {
		return nil
	}
	if exists(snapAgent) {
		return fmt.Errorf("%w, as a snap: %s", errOriginal, snapAgent)
	}
	return nil
}

// refuseSystem fails where the agent cannot run. Under a root, which may lie in a container, only the kernel counts.
func refuseSystem(l installer.Layout) error {
	facts := systems.Here()
	if !l.System() {
		facts.ID = ""
	}
	return systems.Check(facts)
}

// mayChange fails early where the system would refuse half-way.
func mayChange(l installer.Layout) error {
	if l.System() && !elevated() {
		return errNotRoot
	}
	return nil
}

// tidying is how long a lock is waited for whose holder is an updater that has told its outcome, and tidies up.
const tidying = 20 * time.Second

// lockInstallation takes the lock that updates, installations and removals share.
func lockInstallation(l installer.Layout) (release func(), err error) {
	return lockWhile(l, func() bool { return justUpdated(l) })
}

// lockWhile waits for the lock while its holder is worth waiting for.
func lockWhile(l installer.Layout, passing func() bool) (release func(), err error) {
	if err := os.MkdirAll(l.Data(), 0o755); err != nil { // the lock would make its parents for itself alone
		return nil, err
	}
	lock, err := installer.LockUpdateWhile(l, tidying, passing)
	if err != nil {
		return nil, err
	}
	return func() { _ = lock.Release() }, nil
}

// justUpdated tells whether the last update ended a moment ago, and none is open.
func justUpdated(l installer.Layout) bool {
	led, err := updater.ReadLedger(l)
	return err == nil && led.Open == nil && led.Last != nil && time.Since(led.Last.Ended) < tidying
}

// configOf is the agent's configuration; the defaults where the file is missing.
func configOf(l installer.Layout) (config.Config, error) { return config.Load(l.ConfigFile()) }

// exists tells whether there is anything under that name.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// refusedBy gives a problem the words of a decision, where one was the cause.
func refusedBy(p *problem) *problem {
	var no *noOffer
	if errors.As(p.cause, &no) {
		p.code, p.name, p.hint = exitRefused, no.answer.Code, strings.Join(no.answer.Hints, "\n")
		if p.hint == "" {
			p.hint = "ssm-setup regions shows what each region serves"
		}
	}
	return p
}

// emptyUp removes empty folders from dir upward: under a root up to it (withRoot: and it), on the system two of them.
func emptyUp(l installer.Layout, dir string, withRoot bool) {
	for n := 0; ; n++ {
		if l.System() && n == 2 || dir == l.Root && !withRoot {
			return
		}
		if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) || dir == l.Root {
			return
		}
		dir = filepath.Dir(dir)
	}
}

// cleanEnvironment is what programs of an installation are started with: nothing of AWS's but, under a root, a credentials
// file inside it.
func cleanEnvironment(l installer.Layout, more ...string) []string {
	var env []string
	for _, e := range os.Environ() {
		if !hasAnyPrefix(e, "AWS_", "SSM_ACTIVATION_", "SSM_START=") {
			env = append(env, e)
		}
	}
	if !l.System() {
		env = append(env, "AWS_SHARED_CREDENTIALS_FILE="+l.Credentials())
	}
	return append(env, more...)
}

func hasAnyPrefix(s string, prefixes ...string) bool {
	for _, p := range prefixes {
		if len(s) >= len(p) && s[:len(p)] == p {
			return true
		}
	}
	return false
}

// place gives a finished file its name: a rename, or a copy where it lies on another file system.
func place(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if err := os.Rename(from, to); err == nil {
		return host.SyncDir(filepath.Dir(to))
	}
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return host.WriteFile(to, data, info.Mode().Perm())
}
