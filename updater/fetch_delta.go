package updater

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/updater/download"
)

// seeds is the folder that an image or an administrator fills with packages: one that is found there by its SHA-256 is not downloaded.
func (e *Engine) seeds() string { return filepath.Join(e.Layout.Download(), "seed") }

// chooseDelta notes the small download that serves here.
func (w *work) chooseDelta(to manifests.Version) {
	list := w.manifest.Deltas(w.u.Package.File, to)
	if len(list) == 0 {
		return
	}
	state, err := w.store.Read()
	if err != nil {
		return
	}
	d := download.Choose(list, w.u.Package.Size, download.Programs(w.store.Paths, state))
	if d != nil {
		d.URL = w.source.URL(to, d.File)
	}
	w.u.Package.Delta = d
}

// fetchDelta brings a delta and makes the program. Where it does not serve, that is noted, and the whole package is fetched; an error
// says that the update is to be left for resume.
func (w *work) fetchDelta(ctx context.Context) (made bool, err error) {
	p := &w.u.Package
	d := p.Delta
	if d == nil {
		return false, nil
	}
	patch := filepath.Join(w.cache(), d.SHA256.String()+".delta")
	if download.Seeded(w.seeds(), d.SHA256, d.Size, patch) == "" {
		err = w.source.Fetch(ctx, bucket.Want{URL: d.URL, Path: patch, SHA256: d.SHA256, Size: d.Size, Progress: w.progress(), Rate: w.rate()})
		p.Fetched = sizeOf(patch)
	}
	program := filepath.Join(w.cache(), d.Program.String()+".program")
	if err == nil {
		err = download.Apply(ctx, *d, patch, program)
	}
	if ctx.Err() != nil {
		return false, errors.Join(errLeave, ctx.Err())
	}
	if err != nil {
		p.Amiss = printable(fault.Redact(err.Error()))
		w.u.Notes = append(w.u.Notes, "the small download from "+d.From.String()+" did not serve, the whole package was fetched: "+p.Amiss)
		w.Log.Warn("the small download did not serve", "error", err)
		_ = w.ledger.Save(true)
		return false, nil
	}
	w.blob = blob{path: program, program: true}
	w.u.Lines = append(w.u.Lines, "Successfully downloaded "+fault.Redact(d.URL))
	return true, nil
}

// rate is what the download takes at most, in bytes a second; 0: all there are.
func (w *work) rate() int64 { return cmp.Or(w.u.Request.LimitRate, w.Settings.LimitRate) }

// sizeOf is the size of a file in bytes, 0 for none.
func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
