//go:build boot && linux

package boot_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// powered is a machine whose power can be cut: what it writes goes to a file system of its own, on a loop device.
type powered struct {
	*machine
	dir, base, kind string // kind of file system
	image           string // the device
	cuts            int
}

// kinds of file systems, with what mount says of each. ext4 forces a file out that replaces another by a rename, unless it is told not
// to: here it is told, so that a rename without a sync before it is noticed.
var kinds = map[string]string{"ext4": "loop,noauto_da_alloc", "xfs": "loop,nouuid"}

// newPowered is such a machine, not started yet.
func newPowered(t *testing.T, base, kind string) *powered {
	t.Helper()
	dir := t.TempDir()
	p := &powered{machine: newMachine(t, dir), dir: dir, base: base, kind: kind, image: filepath.Join(dir, "image")}
	must(t, syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=755"))
	t.Cleanup(func() {
		p.off()
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Logf("unmount: %v", err)
		}
	})
	for _, d := range []string{"root", "disk", "outside"} {
		must(t, os.MkdirAll(filepath.Join(dir, d), 0o755))
	}
	must(t, os.WriteFile(p.image, nil, 0o600))
	must(t, os.Truncate(p.image, 1<<30))
	if out, err := exec.Command("mkfs."+kind, "-q", p.image).CombinedOutput(); err != nil {
		t.Fatalf("mkfs.%s: %v\n%s", kind, err, out)
	}
	p.on()
	must(t, os.WriteFile(filepath.Join(p.root, "etc/machine-id"), []byte(strings.Repeat("ab", 16)+"\n"), 0o444))
	p.also = []string{"--bind=" + filepath.Join(dir, "outside") + ":/outside"} // what a power cut takes nothing of
	return p
}

// on mounts the disk, and the root over it.
func (p *powered) on() {
	p.t.Helper()
	disk := filepath.Join(p.dir, "disk")
	if out, err := exec.Command("mount", "-t", p.kind, "-o", kinds[p.kind], p.image, disk).CombinedOutput(); err != nil {
		p.t.Fatalf("mount: %v\n%s", err, out)
	}
	must(p.t, errors.Join(os.MkdirAll(filepath.Join(disk, "upper"), 0o755), os.MkdirAll(filepath.Join(disk, "work"), 0o755)))
	must(p.t, syscall.Mount("overlay", p.root, "overlay", 0, fmt.Sprintf("lowerdir=%s,upperdir=%s/upper,workdir=%s/work", p.base, disk, disk)))
}

// off takes both out of sight. Where a process elsewhere still holds them, they stay until it lets go.
func (p *powered) off() {
	for _, dir := range []string{p.root, filepath.Join(p.dir, "disk")} {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			p.t.Logf("unmount %s: %v", dir, err)
		}
	}
}

// settled writes all out: what comes next is what a power cut may take.
func (p *powered) settled() {
	p.t.Helper()
	disk, err := os.Open(filepath.Join(p.dir, "disk"))
	must(p.t, err)
	defer disk.Close()
	must(p.t, unix.Syncfs(int(disk.Fd())))
}

// shutdown is the call by which ext4 and xfs stop writing anything, with its word for "the log neither" (EXT4_IOC_SHUTDOWN,
// XFS_IOC_GOINGDOWN).
const shutdown, noLog = 0x8004587d, 2

// next goes on with a copy of the device: of the file system that was shut down nothing in memory counts, and a
// process elsewhere may still hold it.
func (p *powered) next() {
	p.t.Helper()
	p.off()
	p.cuts++
	image := filepath.Join(p.dir, fmt.Sprint("image-", p.cuts))
	if out, err := exec.Command("cp", "--sparse=always", p.image, image).CombinedOutput(); err != nil {
		p.t.Fatalf("%v\n%s", err, out)
	}
	must(p.t, os.Remove(p.image))
	p.image = image
	p.on()
}

// killAll has every process of the machine run no further instruction of its own. The death of process 1 would end the others, but on
// a busy machine not before they saw a disk that fails: the agent then keeps commands in memory, which is right, and no power cut.
func (p *powered) killAll() {
	p.t.Helper()
	killed := map[string]bool{}
	for again := true; again; {
		again = false
		for _, tree := range []string{"systemd", "unified"} {
			_ = filepath.WalkDir(filepath.Join("/sys/fs/cgroup", tree, p.name), func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.Name() != "cgroup.procs" {
					return nil
				}
				text, _ := os.ReadFile(path)
				for _, word := range strings.Fields(string(text)) {
					pid, err := strconv.Atoi(word)
					if err != nil || killed[word] || pid == p.nspawn.Process.Pid {
						continue
					}
					killed[word], again = true, true
					_ = syscall.Kill(pid, syscall.SIGKILL)
				}
				return nil
			})
		}
	}
	if len(killed) == 0 { // once process 1 is dying, the others are dead or listed no more
		p.t.Fatal("the machine has no process")
	}
}

// cutPower ends everything that runs, takes from the disk what was not written out, and boots again.
func (p *powered) cutPower() {
	p.t.Helper()
	disk, err := os.Open(filepath.Join(p.dir, "disk"))
	must(p.t, err)
	p.mu.Lock()
	p.stopped = true
	p.mu.Unlock()
	p.killAll()
	flag := uint32(noLog)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, disk.Fd(), shutdown, uintptr(unsafe.Pointer(&flag)))
	must(p.t, disk.Close())
	if errno != 0 {
		p.t.Fatal(errno)
	}
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Fatal("the machine does not end")
	}
	p.next()
	p.mu.Lock()
	p.stopped, p.ended, p.nspawn = false, make(chan struct{}), nil
	p.mu.Unlock()
	go p.keepRunning()
	p.wait()
}
