package target

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/host"
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
