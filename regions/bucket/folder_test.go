package bucket_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/regions/ground"
)

// folderOf is a folder with files in it, and a client that reads it.
func folderOf(t *testing.T, files map[string]string) (string, *bucket.Client) {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(dir, "with a space", "amazon-ssm-local")
	for name, text := range files {
		path := filepath.Join(own, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	source, err := regions.ParseSource(filepath.Dir(own))
	if err != nil {
		t.Fatal(err)
	}
	base, err := source.Base("local", "")
	if err != nil {
		t.Fatal(err)
	}
	return own, bucket.New(bucket.Options{Base: base, Retries: -1})
}

func TestAFolderIsReadLikeABucket(t *testing.T) {
	ctx := context.Background()
	own, c := folderOf(t, map[string]string{"latest/VERSION": "9.1.0.0\n", "amazon-ssm-agent/9.1.0.0/a.deb": "package"})
	if v, err := c.Latest(ctx); err != nil || v.String() != "9.1.0.0" {
		t.Errorf("latest: %s, %v", v, err)
	}
	if _, err := c.Stable(ctx); !errors.Is(err, bucket.ErrMissing) {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := c.Small(ctx, "latest", 10); !errors.Is(err, bucket.ErrMissing) {
		t.Errorf("a folder as a file: %v", err)
	}
	to := filepath.Join(t.TempDir(), "a.deb")
	hash, err := ground.SHA256File(filepath.Join(own, "amazon-ssm-agent", "9.1.0.0", "a.deb"))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := manifests.ParseSum(hash)
	if err != nil {
		t.Fatal(err)
	}
	url := c.FileURL("amazon-ssm-agent", manifests.MustVersion("9.1.0.0"), "a.deb")
	if err := c.Fetch(ctx, bucket.Want{URL: url, Path: to, SHA256: sum}); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(own, "amazon-ssm-agent", "9.1.0.0", "a.deb"), []byte("another"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := c.Fetch(ctx, bucket.Want{URL: url, Path: to + "2", SHA256: sum}); !errors.Is(err, bucket.ErrChecksum) {
		t.Errorf("a file with another content: %v", err)
	}
}

func TestNoLinkInAFolderOfPackagesIsFollowed(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need a privilege there")
	}
	ctx := context.Background()
	own, c := folderOf(t, map[string]string{"real/VERSION": "9.1.0.0\n"})
	for link, to := range map[string]string{"latest": "real", "stable": filepath.Join(own, "real"), "VERSION": "real/VERSION"} {
		if err := os.Symlink(to, filepath.Join(own, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"latest/VERSION", "stable/VERSION", "VERSION"} {
		if b, err := c.Small(ctx, key, 100); !errors.Is(err, bucket.ErrLink) {
			t.Errorf("%s: %q, %v", key, b, err)
		}
	}
	if _, err := c.Small(ctx, "real/VERSION", 100); err != nil {
		t.Error(err)
	}
	if err := os.Rename(own, own+"-moved"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(own+"-moved", own); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Small(ctx, "real/VERSION", 100); !errors.Is(err, bucket.ErrLink) {
		t.Errorf("the bucket's folder is a link: %v", err)
	}
}
