package signing

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/installer/signed"
	"github.com/ssm-setup/ssm-setup/installer/unpack"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// measure is what is signed of a package that was published before the region signed: its bytes are read and compared with the manifest
// once, and it is counted how much an archive holds.
func (r *Region) measure(ctx context.Context, key, sum string, e manifests.FileVersion) (f signed.File, err error) {
	o, err := r.To.Stat(ctx, key)
	if err != nil {
		return f, err
	}
	f = signed.File{Length: o.Size, SHA256: sum, Unpacked: e.UnpackedSize}
	if o.SHA256 != "" && !strings.EqualFold(o.SHA256, sum) || e.Size > 0 && e.Size != o.Size {
		return f, fmt.Errorf("%w: %s", target.ErrDiffers, key)
	}
	if f.Unpacked > 0 || !archive(key) {
		return f, target.Compare(ctx, r.To, key, sum)
	}
	dir, err := os.MkdirTemp(r.Scratch, "ssm-setup-measure-")
	if err != nil {
		return f, err
	}
	defer os.RemoveAll(dir)
	at := filepath.Join(dir, path.Base(key))
	if err := target.CopyOut(ctx, r.To, key, at); err != nil {
		return f, err
	}
	if err := target.Compare(ctx, target.Folder(dir), path.Base(key), sum); err != nil {
		return f, err
	}
	f.Unpacked, err = unpack.Size(at)
	return f, err
}

// archive tells whether hosts unpack a file.
func archive(key string) bool {
	return strings.HasSuffix(key, ".tar.gz") || strings.HasSuffix(key, ".tgz") || strings.HasSuffix(key, ".zip")
}
