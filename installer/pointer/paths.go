package pointer

import (
	"path/filepath"
	"strconv"
	"strings"
)

// ErrNotInstalled says that a program does not lie where an installation has its programs.
var ErrNotInstalled error = notInstalled{}

type notInstalled struct{}

func (notInstalled) Error() string { return "not part of an installation" }

// Kind is the word of manifests/fault: ssm-setup refuses to work on what it did not install.
func (notInstalled) Kind() string { return "refused" }

// Paths are the fixed places under one installation root. The zero value is the system itself.
type Paths struct {
	Root string // "" = the system, else an absolute folder
}

// At is the installation under root; "" and the file system's own root mean the system.
func At(root string) Paths {
	if root == "" {
		return Paths{}
	}
	root = filepath.Clean(root)
	if abs, err := filepath.Abs(root); err == nil {
		root = abs
	}
	if root == filepath.VolumeName(root)+string(filepath.Separator) {
		return Paths{}
	}
	return Paths{Root: root}
}

// Of finds the installation that a program belongs to from its own path: <bin>/name or <store>/<version>/name.
func Of(executable string) (Paths, error) {
	dir := filepath.Dir(filepath.Clean(executable))
	for _, place := range []string{dir, filepath.Dir(dir)} {
		for _, p := range candidates(place) {
			if SamePath(p.Bin(), dir) || SamePath(p.StoreDir(), filepath.Dir(dir)) {
				return p, nil
			}
		}
	}
	return Paths{}, ErrNotInstalled
}

// candidates are the roots that could have folder as their folder of programs or their store.
func candidates(folder string) []Paths {
	out := []Paths{{}}
	const probe = string(filepath.Separator) + "?"
	for _, tail := range []string{Paths{Root: probe}.Bin(), Paths{Root: probe}.StoreDir()} {
		tail = strings.TrimPrefix(tail, probe)
		if at := len(folder) - len(tail); at > 0 && SamePath(folder[at:], tail) {
			out = append(out, Paths{Root: folder[:at]})
		}
	}
	return out
}

// under places slash-separated parts below the root.
func (p Paths) under(parts string) string {
	if p.Root == "" {
		return string(filepath.Separator) + filepath.FromSlash(parts)
	}
	return p.Root + string(filepath.Separator) + filepath.FromSlash(parts)
}

// Launcher is the service's main program.
func (p Paths) Launcher() string { return filepath.Join(p.Bin(), "amazon-ssm-agent"+suffix) }

// Worker is the floor's agent, and the name (argv[0]) every agent runs under.
func (p Paths) Worker() string { return filepath.Join(p.Bin(), worker) }

const worker = "ssm-agent-worker" + suffix

// Version is the store's folder of one version.
func (p Paths) Version(version string) string { return filepath.Join(p.StoreDir(), version) }

// File is the agent program of a target.
func (p Paths) File(t Target) string {
	if t.IsFloor() {
		return p.Worker()
	}
	return filepath.Join(p.Version(t.Version), worker)
}

// SlotDir is the folder of the two slots.
func (p Paths) SlotDir() string { return filepath.Join(p.Data(), "pointer") }

// Slot is the file of slot 0 or 1.
func (p Paths) Slot(i int) string { return filepath.Join(p.SlotDir(), strconv.Itoa(i)) }

// Death is the launcher's note of how the last agent ended that was not asked to.
func (p Paths) Death() string { return filepath.Join(p.SlotDir(), "death") }

// ProbationDir is the folder of all tokens.
func (p Paths) ProbationDir() string { return filepath.Join(p.Data(), "probation") }

// Probation is the folder with the tokens of one sequence.
func (p Paths) Probation(sequence uint64) string {
	return filepath.Join(p.ProbationDir(), strconv.FormatUint(sequence, 10))
}

// LauncherLock is the folder the running launcher holds a lock on.
func (p Paths) LauncherLock() string { return filepath.Join(p.Data(), "lock", "launcher") }

// AgentLock is the folder the running agent holds a lock on.
func (p Paths) AgentLock() string { return filepath.Join(p.Data(), "lock", "agent") }

// UpdaterLock is the folder a working updater of ours holds a lock on, besides the pid lock it shares with originals.
func (p Paths) UpdaterLock() string { return filepath.Join(p.Data(), "lock", "update") }

// Owns reports whether a program file lies where this installation has its programs: beside the launcher or in the store.
func (p Paths) Owns(executable string) bool {
	dir := filepath.Dir(filepath.Clean(executable))
	for _, q := range []Paths{p, p.resolved()} {
		if SamePath(dir, q.Bin()) || SamePath(filepath.Dir(dir), q.StoreDir()) {
			return true
		}
	}
	return false
}

// resolved follows links in the root: the system names running programs by their real path.
func (p Paths) resolved() Paths {
	if p.Root == "" {
		return p
	}
	real, err := filepath.EvalSymlinks(p.Root)
	if err != nil {
		return p
	}
	return Paths{Root: real}
}

// PidFile is where a launcher that was started without a service manager leaves its id.
func (p Paths) PidFile() string { return filepath.Join(p.Data(), "amazon-ssm-agent.pid") }

// LaunchLog is where such a launcher and its agent write to.
func (p Paths) LaunchLog() string { return filepath.Join(p.Logs(), "launcher.log") }

// Credentials is the file of shared credentials inside the installation.
func (p Paths) Credentials() string { return filepath.Join(p.credentialsDir(), "credentials") }
