package updater

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
	"github.com/ssm-setup/ssm-setup/updater/policy"
	"github.com/ssm-setup/ssm-setup/updater/schedule"
)

// Preview is what an update would need and obey on this host.
type Preview struct {
	Begins        time.Time         `json:"begins,omitzero"`         // when an update to the target could begin; zero: not known, or never
	Download      int64             `json:"download_bytes"`          // 0: nothing is downloaded, or the region does not say
	Saved         int64             `json:"saved_bytes"`             // by a delta, of what the package has
	Delta         manifests.Version `json:"delta,omitzero"`          // the version whose program a delta starts from
	DiskNeeded    int64             `json:"disk_needed_bytes"`       // at its peak; 0: nothing is written
	DiskFree      uint64            `json:"disk_free_bytes"`         // on the fuller of the disks of downloads and versions; 0: not known
	Known         bool              `json:"confirmed_before"`        // the target was confirmed on this host: it runs without a trial
	Launcher      manifests.Version `json:"launcher"`                // as its package brought it; only a package renews it
	LauncherSince time.Time         `json:"launcher_since,omitzero"` // when that was
	NoExec        string            `json:"noexec,omitempty"`        // the folder of versions, where its file system runs no programs
	Policy        policy.Policy     `json:"policy"`
	WindowOpen    bool              `json:"window_open"` // there is no window, or one is open
	WindowCloses  time.Time         `json:"window_closes,omitzero"`
	WindowNext    time.Time         `json:"window_next,omitzero"`
	LastLook      time.Time         `json:"last_scheduled_look,omitzero"`
	Blocked       []ledger.Blocked  `json:"blocked,omitempty"`
}

// preview tells what the planned update needs. It asks the disks and writes nothing.
func (w *work) preview(floor manifests.Version, d manifests.Decision, v policy.Verdict) Preview {
	now := w.Now()
	p := Preview{Launcher: floor, Blocked: w.ledger.Skip, Begins: v.Until, LastLook: schedule.Read(w.Layout).Looked}
	p.Policy, _ = policy.Read(w.Layout)
	p.WindowOpen, p.WindowCloses, p.WindowNext = p.Policy.Window(now)
	p.WindowOpen = p.WindowOpen || len(p.Policy.Windows) == 0
	if info, err := os.Stat(w.Layout.Launcher()); err == nil {
		p.LauncherSince = info.ModTime().UTC().Truncate(time.Second)
	}
	if dir := w.Layout.StoreDir(); host.NoExec(dir) {
		p.NoExec = dir
	}
	for _, dir := range []string{w.cache(), w.Layout.Data()} {
		if free, err := w.System.Free(present(dir)); err == nil && (p.DiskFree == 0 || free < p.DiskFree) {
			p.DiskFree = free
		}
	}
	if d.Changes() {
		p.Begins = now
		p.Known = d.Target.Less(w.u.FromVersion) && w.ledger.HasConfirmed(d.Target, "")
	}
	if d.Changes() && !d.FromFloor {
		p.Download, p.DiskNeeded = w.u.Package.Size, w.spaceNeeded()
		if d := w.u.Package.Delta; d != nil {
			p.Download, p.Saved, p.Delta = d.Size, max(w.u.Package.Size-d.Size, 0), d.From
		}
	}
	return p
}

// obstacles are what stands in the way of a download and of running what it brings, before a byte of it is fetched.
func (w *work) obstacles() error {
	if err := checkStorePlace(w.Layout); err != nil {
		return w.badInstall(err)
	}
	if dir := w.Layout.StoreDir(); host.NoExec(dir) {
		return w.badInstall(fmt.Errorf("programs in %s must not be run: that file system is mounted noexec; mount one of its own on %s", dir, dir))
	}
	return w.checkSpace()
}

// spaceNeeded is what an update takes on the disk at its peak, in bytes: the package, its program unpacked and copied into the store; never
// less than what is kept free anyway.
func (w *work) spaceNeeded() int64 {
	return max(leastSpace, w.u.Package.Size+2*min(w.u.Package.Unpacked, mostUnpacked))
}

// present is a folder, or the nearest one above it that is there.
func present(dir string) string {
	for {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}
