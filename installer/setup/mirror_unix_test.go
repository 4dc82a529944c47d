//go:build unix

package setup

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
	stick := t.TempDir()
	files := filepath.Join(stick, "amazon-ssm-local")
	must(t, errors.Join(os.MkdirAll(filepath.Join(files, "latest"), 0o755), os.WriteFile(filepath.Join(files, "latest", "VERSION"),
		[]byte("9.1.0.0\n"), 0o600),
		os.WriteFile(filepath.Join(stick, "secret"), []byte("secret"), 0o600), os.Symlink("../secret", filepath.Join(files, "out")),
		os.Symlink("/etc/passwd", filepath.Join(files, "far")), syscall.Mkfifo(filepath.Join(files, "pipe"), 0o600)))
	r := &run{Options: Options{Region: "local", Endpoint: stick}}
	done, err := r.openMirror(stick)
	must(t, err)
	defer done()
	client := bucket.New(bucket.Options{Base: r.Base, HTTP: r.http, Retries: -1})
	if v, err := client.Latest(t.Context()); err != nil || v.String() != "9.1.0.0" {
		t.Errorf("%s, %v", v, err)
	}
	for _, key := range []string{"out", "far", "pipe", "latest", "latest/", "", "../secret", "nothing"} {
		if text, err := client.Small(t.Context(), key, 1<<20); err == nil || strings.Contains(err.Error(), "secret\n") {
			t.Errorf("%q gives %.30q, %v", key, text, err)
		}
	}
	if _, err := client.Small(t.Context(), "nothing", 1<<20); !errors.Is(err, bucket.ErrMissing) {
		t.Errorf("a missing file: %v", err)
	}
	if !strings.HasPrefix(r.Base, "http://mirror/") || r.Endpoint != "" {
		t.Errorf("the folder has an address: %q, %q", r.Base, r.Endpoint)
	}
	if _, err := (&run{Options: Options{Region: "eu-west-1"}}).openMirror(stick); !errors.Is(err, bucket.ErrMissing) {
		t.Errorf("a bucket that is not there: %v", err)
	}
}
