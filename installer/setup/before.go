package setup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/proxy"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// PackageVersion is the version of the installed package; zero and no error where there is none, [ErrOriginal] where another
// project's agent has its place.
func PackageVersion(l installer.Layout) (manifests.Version, error) {
	v, err := pack.VersionOf(l.Launcher())
	if errors.Is(err, pack.ErrNoBinary) {
		return manifests.Version{}, nil
	}
	if errors.Is(err, pack.ErrVersion) {
		return v, fmt.Errorf("%w: %s", ErrOriginal, l.Launcher())
	}
	return v, err
}

// refuseOriginal fails where another project's agent would share the system with ours. One outside of a root is let be.
func refuseOriginal(l installer.Layout) error {
	if _, err := PackageVersion(l); err != nil {
		return err
	}
	if l.System() && Exists(SnapAgent) {
		return fmt.Errorf("%w, as a snap: %s", ErrOriginal, SnapAgent)
	}
	return nil
}

// before is what was there when the installation began.
type before struct {
	Agent  bool   `json:"agent"`            // an agent, of ours or one that is taken over
	Root   bool   `json:"root"`             // the folder --root names
	Data   bool   `json:"data"`             // <data> with more in it than this record
	Logs   bool   `json:"logs"`             //
	Config []byte `json:"config,omitempty"` // the settings file; nil: there was none
	Proxy  bool   `json:"proxy,omitempty"`  // the address of a proxy was kept for the service
}

// readBefore notes what is there. It is called before anything, the lock included, is made.
func readBefore(l installer.Layout) (before, error) {
	b := before{Root: l.System() || Exists(l.Root), Data: Exists(l.Data()), Logs: Exists(l.Logs())}
	current, err := PackageVersion(l)
	original := errors.Is(err, ErrOriginal)
	if err != nil && !original {
		return b, err
	}
	b.Agent = original || !current.IsZero()
	_, b.Proxy = proxy.Of(l)
	b.Config, err = os.ReadFile(l.ConfigFile())
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return b, err
}

// settling is how long a lock is waited for whose holder is an updater that has told its outcome, and tidies up.
const settling = 20 * time.Second

// Lock takes the lock that updates, installations and removals share.
func (i Installation) Lock() (release func(), err error) {
	return lockWhile(i.Layout, func() bool { return i.Ports.UpdateEnded(i.Layout, settling) })
}

// lockWhile waits for the lock while its holder is worth waiting for.
func lockWhile(l installer.Layout, passing func() bool) (release func(), err error) {
	if !l.System() {
		if err := host.MakeForPrograms(l.Root); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(l.Data(), 0o755); err != nil { // the lock would make its parents for itself alone
		return nil, err
	}
	lock, err := installer.LockUpdateWhile(l, settling, passing)
	if err != nil {
		return nil, err
	}
	return func() { _ = lock.Release() }, nil
}

// Exists tells whether there is anything under that name.
func Exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// removeEmpty removes empty folders from dir upward: under a root up to it (withRoot: and it), on the system two of them.
func removeEmpty(l installer.Layout, dir string, withRoot bool) {
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
