//go:build unix

package bucket_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// A stick belongs to the person who carries it; root reads it.
func TestAMirrorsFolderShowsItsBucketsFilesAndNothingElse(t *testing.T) {
	own, c := folderOf(t, map[string]string{"latest/VERSION": "9.1.0.0\n"})
	if err := errors.Join(os.WriteFile(filepath.Join(filepath.Dir(own), "secret"), []byte("secret"), 0o600),
		os.Symlink("../secret", filepath.Join(own, "out")), os.Symlink("/etc/passwd", filepath.Join(own, "far")),
		os.Symlink("latest/VERSION", filepath.Join(own, "near")), syscall.Mkfifo(filepath.Join(own, "pipe"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"out", "far", "near", "pipe", "latest", "latest/", "", "../secret", "nothing", "latest/../../secret"} {
		if text, err := c.Small(t.Context(), key, 1<<20); err == nil || strings.Contains(err.Error(), "secret\n") {
			t.Errorf("%q gives %.30q, %v", key, text, err)
		}
	}
	if _, err := c.Small(t.Context(), "nothing", 1<<20); !errors.Is(err, bucket.ErrMissing) {
		t.Errorf("a missing file: %v", err)
	}
	if err := os.RemoveAll(own); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Latest(t.Context()); !errors.Is(err, bucket.ErrMissing) {
		t.Errorf("a bucket that is not there: %v", err)
	}
}
