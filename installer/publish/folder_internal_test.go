package publish

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests"

	"github.com/ssm-setup/ssm-setup/installer/publish/dist"
)

// onDisk is a folder whose disk answers every request to keep names with one error.
func onDisk(t *testing.T, answer error) *folder {
	t.Helper()
	return &folder{dir: filepath.Join(t.TempDir(), "region"), written: map[string]bool{},
		syncDir: func(dir string) error { return &os.PathError{Op: "sync", Path: dir, Err: answer} }}
}

func write(ctx context.Context, to Target, key, text string) error {
	return to.Write(ctx, key, strings.NewReader(text), host.SHA256Bytes([]byte(text)), When{})
}

// A disk that cannot keep the names must not leave a VERSION that says all is there.
func TestAFolderThatCannotBeSyncedIsAnErrorBeforeVersion(t *testing.T) {
	d := onDisk(t, syscall.EIO)
	if err := write(t.Context(), d, "amazon-ssm-agent/9.1.0.0/file", "package"); err != nil {
		t.Fatal(err)
	}
	if err := write(t.Context(), d, "latest/VERSION", "9.1.0.0\n"); !errors.Is(err, syscall.EIO) {
		t.Errorf("VERSION after a failed sync: %v", err)
	}
	if _, err := d.Stat(t.Context(), "latest/VERSION"); !errors.Is(err, ErrAbsent) {
		t.Errorf("VERSION is there: %v", err)
	}
	synced := map[string]bool{}
	d.syncDir = func(dir string) error { synced[dir] = true; return nil }
	if err := write(t.Context(), d, "latest/VERSION", "9.1.0.0\n"); err != nil || !synced[d.path("amazon-ssm-agent/9.1.0.0")] {
		t.Errorf("the next attempt synced %v, %v", synced, err)
	}
}

func TestAFileSystemThatKnowsNoSyncOfFoldersIsServed(t *testing.T) {
	for _, answer := range []error{errors.ErrUnsupported, syscall.ENOTSUP} {
		if err := write(t.Context(), onDisk(t, answer), "latest/VERSION", "9.1.0.0\n"); err != nil {
			t.Errorf("%v: %v", answer, err)
		}
	}
}

// The folder above the target may belong to another account.
func TestTheFolderAboveNeedNotBeReadable(t *testing.T) {
	d := onDisk(t, nil)
	d.syncDir = func(dir string) error {
		if dir == d.above() {
			return fs.ErrPermission
		}
		return nil
	}
	if err := write(t.Context(), d, "latest/VERSION", "9.1.0.0\n"); err != nil {
		t.Error(err)
	}
}

// Bytes other than those that a release was checked with are never given their name.
func TestOtherBytesAreNotWritten(t *testing.T) {
	d := onDisk(t, nil)
	err := d.Write(t.Context(), "a/file", strings.NewReader("changed meanwhile"), host.SHA256Bytes([]byte("as checked")), When{})
	if list, _ := os.ReadDir(d.path("a")); !errors.Is(err, ErrBody) || len(list) != 0 {
		t.Errorf("%v, %v", err, list)
	}
}

// VERSION may have its name when the last sync fails: the next run finds all in its place, and has the disk keep it all the same.
func TestARerunSyncsWhatTheLastRunCouldNot(t *testing.T) {
	d := onDisk(t, nil)
	placed := func() bool { _, err := os.Stat(d.path("latest/VERSION")); return err == nil }
	d.syncDir = func(dir string) error {
		if placed() {
			return &os.PathError{Op: "sync", Path: dir, Err: syscall.EIO}
		}
		return nil
	}
	from := t.TempDir()
	if err := os.WriteFile(filepath.Join(from, "file"), []byte("package"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &dist.Release{Dir: from, Version: manifests.MustVersion("9.1.0.0"), Files: []dist.File{{Name: "file", Package: "amazon-ssm-agent",
		Status: manifests.Active, SHA256: host.SHA256Bytes([]byte("package")), Size: 7, Keys: []string{"amazon-ssm-agent/9.1.0.0/file"}}}}
	o := Options{UriFormat: "http://127.0.0.1:1/{PackageName}/{PackageVersion}/{FileName}"}
	if _, err := Publish(t.Context(), kept{d}, r, o); !errors.Is(err, syscall.EIO) || !placed() {
		t.Fatalf("the last sync fails: %v", err)
	}
	again, synced := onDisk(t, nil), map[string]bool{}
	var mu sync.Mutex // folders are synced at once
	again.dir = d.dir
	again.syncDir = func(dir string) error {
		mu.Lock()
		defer mu.Unlock()
		synced[dir] = true
		return nil
	}
	if _, err := Publish(t.Context(), kept{again}, r, o); err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{"latest", "amazon-ssm-agent/9.1.0.0", "."} {
		if !synced[again.path(at)] {
			t.Errorf("%s was not synced: %v", at, synced)
		}
	}
}
