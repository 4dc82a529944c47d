// Package caller is the account that calls ssm-setup: what it has set once for all its commands, and the local regions it runs. Flags are
// read by the commands; this room knows what counts where a flag is left out.
//
// Where a value comes from, in order: the flag, the environment, the system's file of settings, the account's own file. [Value] carries
// its origin along, so that `ssm-setup config` can show it.
//
// Files, in a folder ssm-setup of the system (/etc, on Windows ProgramData) and in one of the account (~/.config, on Windows
// AppData\Roaming; the home is that of the user database, since sudo may leave $HOME as it was):
//
//	config.json          settings, see [Settings]; written by people
//	regions/<name>.json  a local region that runs, see [Running]; 0600, written and removed by `ssm-setup local`
//
// What must always be true: root obeys a file only if the file and all folders above it are root's and no other account may write
// them; a local region counts only for the account that runs it, and is found by its file, never by asking a port, since any account may
// listen there; no secret is kept in settings.
package caller

import (
	"cmp"
	"os"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Variables that this room reads. HomeVariable names a folder in place of the account's own one, for tests and for jobs that share an
// account; what is said of files holds for it, too.
const (
	SourceVariable = "SSM_SETUP_SOURCE"
	HomeVariable   = "SSM_SETUP_HOME"
)

// Caller is an account, by its folders.
type Caller struct {
	System string // folder of the system's settings
	Own    string // folder of the account's own settings and local regions; empty where it has no home
	Root   bool   // files count only as root's
	Getenv func(name string) string
}

// Here is the account that runs this process.
func Here() Caller {
	own := os.Getenv(HomeVariable)
	if home := home(); own == "" && home != "" {
		own = filepath.Join(home, ownFolder)
	}
	return Caller{System: systemFolder(), Own: own, Root: privileged(), Getenv: os.Getenv}
}

// Value is one thing that was chosen, and by what.
type Value struct {
	Text   string `json:"value"`
	Origin string `json:"origin"` // flag --source, environment SSM_SETUP_SOURCE, or the path of a file; empty: nothing was chosen
}

func (c Caller) env(name string) Value {
	if text := c.Getenv(name); text != "" {
		return Value{text, "environment " + name}
	}
	return Value{}
}

// first is the first value that is one.
func first(values ...Value) Value { return cmp.Or(values...) }

// sound fails, as root, for a file that another account could have written.
func (c Caller) sound(path string) error {
	if !c.Root {
		return nil
	}
	dir := filepath.Dir(path)
	err := host.CheckFolders(dir, dir)
	if err == nil {
		err = host.CheckFile(path)
	}
	if err != nil {
		return fault.Wrap(fault.Permission, err,
			"as root a file counts only if it and its folders are root's, and no other account may write them: mend "+fault.Word(path)+
				", or remove it")
	}
	return nil
}
