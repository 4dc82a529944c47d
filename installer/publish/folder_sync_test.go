package publish_test

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/installer/publish/dist"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// VERSION may have its name when the last sync fails: the next run finds all in its place, and has the disk keep it all the same.
func TestARerunSyncsWhatTheLastRunCouldNot(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "region")
	placed := func() bool { _, err := os.Stat(filepath.Join(dir, "latest", "VERSION")); return err == nil }
	failing := target.FolderSyncedBy(dir, func(dir string) error {
		if placed() {
			return &os.PathError{Op: "sync", Path: dir, Err: syscall.EIO}
		}
		return nil
	})
	from := t.TempDir()
	if err := os.WriteFile(filepath.Join(from, "file"), []byte("package"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &dist.Release{Dir: from, Version: manifests.MustVersion("9.1.0.0"), Files: []dist.File{{Name: "file", Package: "amazon-ssm-agent",
		Status: manifests.Active, SHA256: host.SHA256Bytes([]byte("package")), Size: 7, Keys: []string{"amazon-ssm-agent/9.1.0.0/file"}}}}
	o := publish.Options{UriFormat: "http://127.0.0.1:1/{PackageName}/{PackageVersion}/{FileName}"}
	if _, err := publish.Publish(t.Context(), failing, r, o); !errors.Is(err, syscall.EIO) || !placed() {
		t.Fatalf("the last sync fails: %v", err)
	}
	synced := map[string]bool{}
	var mu sync.Mutex // folders are synced at once
	again := target.FolderSyncedBy(dir, func(dir string) error {
		mu.Lock()
		defer mu.Unlock()
		synced[dir] = true
		return nil
	})
	if _, err := publish.Publish(t.Context(), again, r, o); err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{"latest", "amazon-ssm-agent/9.1.0.0", "."} {
		if !synced[filepath.Join(dir, filepath.FromSlash(at))] {
			t.Errorf("%s was not synced: %v", at, synced)
		}
	}
}
