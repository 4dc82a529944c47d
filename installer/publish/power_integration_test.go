//go:build integration && linux

package publish_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
)

// Once a publication into a folder says that it is done, a power cut takes nothing of it back: the disk is shut down without what
// it has not written.
func TestAPowerCutTakesNothingBackOfAPublication(t *testing.T) {
	image, disk := filepath.Join(t.TempDir(), "image"), t.TempDir()
	run := func(args ...string) {
		t.Helper()
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, 64<<20); err != nil {
		t.Fatal(err)
	}
	run("mkfs.ext4", "-q", image)
	mount := func(options string) {
		t.Helper()
		run("mount", "-o", "loop,"+options, image, disk)
		t.Cleanup(func() { exec.Command("umount", disk).Run() })
	}
	mount("noauto_da_alloc,commit=300")
	dir := filepath.Join(disk, "web", "region")
	one := release(t, "9.1.0.0", "one")
	publishTo(t, target.Folder(dir), one, publish.Options{Repositories: true, Sign: &key{}})
	if _, err := publish.Promote(t.Context(), target.Folder(dir), one.Version, publish.Options{}); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(disk)
	if err != nil {
		t.Fatal(err)
	}
	const shutdown, withoutLog = 0x8004587d, 2
	flag := uint32(withoutLog)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), shutdown, uintptr(unsafe.Pointer(&flag)))
	f.Close()
	if errno != 0 {
		t.Fatal(errno)
	}
	run("umount", disk)
	mount("rw")
	whole(t, target.Folder(dir), "9.1.0.0")
	if got := read(t, target.Folder(dir), "stable/VERSION"); got != "9.1.0.0\n" {
		t.Errorf("stable/VERSION is %q", got)
	}
}
