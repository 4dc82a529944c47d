// Package installer knows where the product lies on a machine, also under another root, and keeps the pulse file and the update
// lock.
//
// A [Layout] is one installation: the system's ("/"), or the same tree under any folder. Everything that has a fixed place has a
// method here; no other room joins paths. installer/pointer knows the places that the launcher needs.
//
// Files of this package: the pulse (fixed size, overwritten in place by the running agent, read by people and by the
// updater), the pid lock update.lock with update.lock.expire (docs/protocol/update.md, "The update lock", shared with original agents),
// the folder lock/update.
package installer

import (
	"os"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// ErrNotInstalled says that a program does not lie where an installation has its programs.
var ErrNotInstalled = pointer.ErrNotInstalled

// Layout is where one installation lies. The zero value is the system.
type Layout struct {
	Root string // "" = the system, else an absolute folder
}

// At is the installation under root; "" and "/" mean the system.
func At(root string) Layout { return Layout{pointer.At(root).Root} }

// Of finds the installation that a program belongs to from the program's own path.
func Of(executable string) (Layout, error) {
	p, err := pointer.Of(executable)
	return Layout{p.Root}, err
}

// Here is the installation that the running program belongs to.
func Here() (Layout, error) {
	exe, err := os.Executable()
	if err != nil {
		return Layout{}, err
	}
	return Of(exe)
}

// System reports whether this is the system's installation.
func (l Layout) System() bool { return l.Root == "" }

// Pointer are the places that launcher and store work with.
func (l Layout) Pointer() pointer.Paths { return pointer.Paths{Root: l.Root} }

// BinDir is the folder of programs.
func (l Layout) BinDir() string { return l.Pointer().Bin() }

// Launcher is the service's main program.
func (l Layout) Launcher() string { return l.Pointer().Launcher() }

// Worker is the floor's agent, and the name (argv[0]) every agent runs under.
func (l Layout) Worker() string { return l.Pointer().Worker() }

// Data is the folder of everything the agent keeps: the specification's <data>.
func (l Layout) Data() string { return l.Pointer().Data() }

// StoreDir is the folder of versions that updates added.
func (l Layout) StoreDir() string { return l.Pointer().StoreDir() }

// Store is the folder of one version in the store.
func (l Layout) Store(version string) string { return l.Pointer().Version(version) }

// ConfigFile is the agent's configuration.
func (l Layout) ConfigFile() string { return filepath.Join(l.ConfigDir(), "amazon-ssm-agent.json") }

// GoodConfig is the configuration with which the service was reached last.
func (l Layout) GoodConfig() string { return filepath.Join(l.Data(), "config.good") }

// Vault is the folder of keys and of the hybrid registration.
func (l Layout) Vault() string { return filepath.Join(l.Data(), "Vault") }

// Registration is the plain registration file.
func (l Layout) Registration() string { return filepath.Join(l.Data(), "registration") }

// Ledger is the record of the last update.
func (l Layout) Ledger() string { return filepath.Join(l.Data(), "ledger") }

// Decisions is the history of what updates were decided, and why.
func (l Layout) Decisions() string { return filepath.Join(l.Data(), "decisions") }

// Policy is what updates of this host have to obey. It is the administrator's: a removal leaves it.
func (l Layout) Policy() string { return filepath.Join(l.Data(), "policy") }

// Facts is the file of [Facts].
func (l Layout) Facts() string { return filepath.Join(l.Data(), "facts.json") }

// Pulse is the running agent's sign of life.
func (l Layout) Pulse() string { return filepath.Join(l.Data(), "pulse") }

// PidFile is where a launcher started without a service manager leaves its id.
func (l Layout) PidFile() string { return l.Pointer().PidFile() }

// LaunchLog is where such a launcher and its agent write what a service manager would have kept.
func (l Layout) LaunchLog() string { return l.Pointer().LaunchLog() }

// Logs is the folder of logs.
func (l Layout) Logs() string { return l.Pointer().Logs() }

// Credentials is the file of shared credentials inside the installation.
func (l Layout) Credentials() string { return l.Pointer().Credentials() }

// Links are the names beside the launcher that lead to it.
func (l Layout) Links() []string { return linkNames() }
