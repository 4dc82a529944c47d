package updater

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/updater/download"
)

// blob is a package as it was fetched, or a program that a delta made: it may not be used before it was verified.
type blob struct {
	path    string
	program bool
}

// leastSpace is what an update wants free on the disks of cache and store in any case, in bytes.
const leastSpace = 48 << 20

func (e *Engine) cache() string { return filepath.Join(e.Layout.Download(), "update") }

// fetch is the third stop. Files are named by their SHA-256; a part that is there is gone on with.
func (w *work) fetch(ctx context.Context) error {
	if w.u.Package.SHA256.IsZero() && !w.u.To.IsZero() {
		return nil // the floor, or a version that is in the store
	}
	if w.u.Package.SHA256.IsZero() {
		return w.badPackage(fault.Verify, fmt.Errorf("the manifest has no checksum for %s %s", w.u.Package.File, w.u.ToVersion))
	}
	if err := w.obstacles(); err != nil {
		return err
	}
	if err := os.MkdirAll(w.cache(), 0o700); err != nil {
		return &failure{code: "ErrorCreateUpdateFolder", cause: err,
			text: fmt.Sprintf("failed to create download folder %v %v, ErrorMessage=%v", w.product(), w.u.ToVersion, err)}
	}
	p := &w.u.Package
	whole := filepath.Join(w.cache(), p.SHA256.String()+".tar.gz")
	p.Fetched, p.Seeded, p.Amiss = 0, download.Seeded(w.seeds(), p.SHA256, p.Size, whole), ""
	if p.Seeded != "" {
		w.blob = blob{path: whole}
		w.u.Lines = append(w.u.Lines, "Successfully downloaded "+fault.Redact(p.URL))
		return nil
	}
	if made, err := w.fetchDelta(ctx); made || err != nil {
		return err
	}
	w.blob = blob{path: whole}
	err := w.source.Fetch(ctx, bucket.Want{URL: p.URL, Path: w.blob.path, SHA256: p.SHA256, Size: p.Size, Progress: w.progress(),
		Rate: w.rate()})
	if err != nil {
		if ctx.Err() != nil {
			return errors.Join(errLeave, err)
		}
		return w.badPackage("", err)
	}
	p.Fetched += sizeOf(w.blob.path)
	w.u.Lines = append(w.u.Lines, "Successfully downloaded "+fault.Redact(w.u.Package.URL))
	return nil
}

// checkStorePlace refuses a store behind a symbolic link: a program of ours finds its installation by its own path, which is then another.
func checkStorePlace(l installer.Layout) error {
	if runtime.GOOS == "windows" {
		return nil // there links are refused where folders are checked
	}
	var on []string // the way from the root down to the store
	for dir := l.StoreDir(); len(dir) > len(l.Root) && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		on = append([]string{dir}, on...)
	}
	for _, dir := range on {
		if to, err := os.Readlink(dir); err == nil {
			return fault.New(fault.Refused, fmt.Sprintf("%s is a symbolic link to %s: a version that is stored behind it would not find its "+
				"installation; move the folder back, or mount its new place there (mount --bind)", dir, to), "")
		}
	}
	return nil
}

// checkSpace refuses to begin what would fill the disk.
func (w *work) checkSpace() error {
	for _, dir := range []string{w.cache(), w.Layout.Data()} {
		free, err := w.System.Free(present(dir))
		if errors.Is(err, errors.ErrUnsupported) {
			return nil
		}
		if need := w.spaceNeeded(); err == nil && free < uint64(need) {
			//nolint:staticcheck // the original's words
			err = fmt.Errorf("Insufficient available disk space: %d bytes on the disk of %s, %d needed: %w",
				free, dir, need, syscall.ENOSPC)
		}
		if err != nil {
			return &failure{code: "ErrorEnvironmentIssue", fault: fault.NoSpace, text: err.Error(), cause: err}
		}
	}
	return nil
}

func (w *work) badPackage(kind fault.Kind, err error) error {
	return &failure{code: "ErrorTargetPkgDownload", fault: kind, cause: err,
		text: fmt.Sprintf("failed to download file reliably, %v, %v", w.u.Package.URL, err)}
}

// progress notes the progress of the download for followers, a few times a second.
func (w *work) progress() func(done, total int64) {
	var last time.Time
	return func(done, total int64) {
		if now := w.Now(); now.Sub(last) > 250*time.Millisecond || done == total {
			last = now
			w.u.Done, w.u.Total, w.u.Moved = done, total, now
			_ = w.ledger.Save(false)
		}
	}
}
