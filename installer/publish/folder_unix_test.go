//go:build unix

package publish_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
)

// Whatever the umask of who publishes, a web server can read all of a folder; one that was there keeps its mode.
func TestAFolderIsReadableWhateverTheUmask(t *testing.T) {
	one := release(t, "9.1.0.0", "one")
	top := filepath.Join(t.TempDir(), "top")
	if err := os.Mkdir(top, 0o700); err != nil {
		t.Fatal(err)
	}
	before := syscall.Umask(0o077)
	_, err := publish.Publish(t.Context(), target.Folder(filepath.Join(top, "web", "region")), one,
		publish.Options{UriFormat: template, Repositories: true})
	syscall.Umask(before)
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(top, func(at string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		want := fs.FileMode(0o644)
		switch {
		case at == top:
			want = 0o700
		case d.IsDir():
			want = 0o755
		}
		if info, err := d.Info(); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", at, info.Mode(), err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
