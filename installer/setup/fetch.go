package setup

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// fetch downloads the package, if it has to be put in, and checks it.
func (r *run) fetch() error {
	if !r.needed() {
		return nil
	}
	if err := os.MkdirAll(r.Download(), 0o755); err != nil {
		return err
	}
	if free, err := host.FreeBytes(r.Data()); err == nil && r.offer.Size > 0 && free < uint64(4*r.offer.Size) {
		return fmt.Errorf("%w: %.1f MB are free in %s, about %.1f MB are needed", ErrNoSpace, float64(free)/1e6, r.Data(),
			4*float64(r.offer.Size)/1e6)
	}
	r.archive = filepath.Join(r.Download(), r.offer.File)
	err := r.client.Fetch(r.ctx, bucket.Want{URL: r.client.FileURL(manifests.AgentPackage, r.offer.Version, r.offer.File), Path: r.archive,
		SHA256: r.offer.SHA256, Size: r.offer.Size, Progress: r.Ports.Progress("downloading " + r.offer.File)})
	if err != nil {
		return err
	}
	r.Ports.Step("downloaded %s %s, checksum as in the manifest", r.offer.File, r.offer.Version)
	if r.Inspect != nil {
		return r.Inspect(r.archive, r.offer.Version)
	}
	return nil
}
