package detection_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// A fault is what the disk of a host does while a sound release is put in and tried: system calls that fail, of the updater or of the
// launcher and its agents, or a disk that is full.
type fault struct {
	name     string
	updater  []string // what strace injects into the update
	trial    []string // into the updater from when the release is on trial
	launcher []string // into the launcher, with what it starts
	full     bool     // from when the release is on trial
}

func failing(calls, how string) []string {
	return []string{"-e", "trace=" + calls, "-e", "inject=" + calls + ":error=" + how}
}

// Names, made durable and removed: all that updater and launcher do to a disk but write to open files.
const renames, removals, syncs = "rename,renameat,renameat2", "unlink,unlinkat,rmdir", "fsync,fdatasync"

var diskFaults = []fault{
	{name: "no sync of the updater works", updater: failing(syncs, "EIO")},
	{name: "no sync works while it is on trial", trial: failing(syncs, "EIO")},
	{name: "no name can be given while it is on trial", trial: failing(renames+","+removals, "EROFS")},
	{name: "every third sync of the updater fails", updater: failing(syncs, "EIO:when=3+3")},
	{name: "the updater can make no folder", updater: failing("mkdir,mkdirat", "EROFS")},
	{name: "the updater can remove nothing", updater: failing(removals, "EIO")},
	{name: "the launcher can remove no token", launcher: failing(removals, "EIO")},
	{name: "the launcher's removals are not synced", launcher: failing(syncs, "EIO")},
	{name: "the disk is read-only for launcher and agent", launcher: failing(removals+","+renames+",mkdirat", "EROFS")},
	{name: "the disk is full while it is on trial", full: true},
}

// A release is put on the list of those that are blocked when it did not prove itself: what the disk of the machine does is no proof.
func TestNoFaultOfADiskBlocksASoundRelease(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to trace programs and to mount; CI runs this as root, too")
	}
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("needs strace")
	}
	l := newLab(t, pairing{here, here}, nil)
	todo := make(chan fault)
	var hosts sync.WaitGroup
	for range *rootsFlag {
		hosts.Go(func() {
			for f := range todo {
				began := time.Now()
				said, err := l.suffer(f)
				fmt.Printf("%-48s %5.1f s  %s\n", f.name, time.Since(began).Seconds(), said)
				if err != nil {
					t.Errorf("%s: %v", f.name, err)
				}
			}
		})
	}
	for _, f := range diskFaults {
		todo <- f
	}
	close(todo)
	hosts.Wait()
}

// suffer has a host updated while its disk fails, and again when it works. It returns how the first update ended.
func (l *lab) suffer(f fault) (said string, err error) {
	root, err := os.MkdirTemp(l.dir, "root-")
	if err != nil {
		return "", err
	}
	if f.full {
		if err := syscall.Mount("tmpfs", root, "tmpfs", 0, "size=128m,mode=755"); err != nil {
			return "", err
		}
		defer func() { _ = syscall.Unmount(root, syscall.MNT_DETACH) }()
	}
	m := &machine{l, installer.At(root)}
	defer m.end()
	err = errors.Join(os.Chmod(root, 0o755), m.settings("4"),
		m.do(m.tool, "install", "--root", root, "--region", m.region.Name(), "--endpoint", m.region.URL(), "--version", packageVersion))
	if err != nil {
		return "", err
	}
	release := func() {}
	if f.launcher != nil {
		pid, _ := launcher.Running(m.Pointer())
		if release, err = m.inject(f.launcher, pid); err != nil {
			return "", err
		}
	}
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		if (f.full || f.trial != nil) && m.awaitTrial(ended) {
			m.spoil(f, ended)
		}
	}()
	command := []string{m.tool, "update", "--root", root, "--version", soundVersion}
	if f.updater != nil {
		command = slices.Concat([]string{"strace", "-f", "-qq", "-o", m.calls()}, f.updater, command)
	}
	said = m.update(command[0], command[1:]...)
	close(ended)
	release()
	<-done
	if strings.Contains(said, "is blocked on this machine") {
		return said, errors.New("it is said to be blocked")
	}
	if err := os.Remove(filepath.Join(root, "filler")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return said, err
	}
	if calls, err := os.ReadFile(m.calls()); !f.full && !strings.Contains(string(calls), "(INJECTED)") {
		return said, errors.Join(errors.New("no call failed, so nothing is shown"), err)
	}
	led, err := ledger.Read(m.Layout)
	if err != nil {
		return said, err
	}
	if len(led.Skip) > 0 {
		return said, fmt.Errorf("blocked: %+v", led.Skip)
	}
	if err := m.until(func() bool { // an updater that goes on with what is open is waited for
		return strings.HasPrefix(m.update(m.tool, "update", "--root", root, "--version", soundVersion), "0 ")
	}); err != nil {
		return said, fmt.Errorf("it is not put in on a disk that works: %w", err)
	}
	if p, err := installer.ReadPulse(m.Pulse()); err != nil || p.Version != soundVersion {
		return said, fmt.Errorf("%s runs, %w", p.Version, err)
	}
	return said, nil
}

// calls is where strace writes the calls that it lets fail.
func (m *machine) calls() string { return m.Root + ".calls" }

// update runs a program and says how it ended: its exit code and the last line of what it said.
func (m *machine) update(program string, args ...string) string {
	cmd := exec.Command(program, args...)
	var out bytes.Buffer
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = m.env, m.dir, &out, &out
	cmd.WaitDelay = time.Second
	_ = cmd.Run()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	return strconv.Itoa(cmd.ProcessState.ExitCode()) + " " + lines[len(lines)-1]
}

// inject has the system calls of a process that runs fail, and those of what it starts from then on.
func (m *machine) inject(faults []string, pid int) (release func(), err error) {
	cmd := exec.Command("strace", append([]string{"-f", "-qq", "-o", m.calls(), "-p", strconv.Itoa(pid)}, faults...)...)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		status, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
		if strings.Contains(string(status), "TracerPid:\t"+strconv.Itoa(cmd.Process.Pid)+"\n") {
			break
		}
		if time.Now().After(end) {
			return nil, errNever
		}
	}
	return func() {
		_ = cmd.Process.Signal(syscall.SIGINT)
		_ = cmd.Wait()
	}, nil
}

// awaitTrial waits until the sound release is on trial; false: the update ended first.
func (m *machine) awaitTrial(ended <-chan struct{}) bool {
	for {
		if p, err := installer.ReadPulse(m.Pulse()); err == nil && p.Version == soundVersion {
			return true
		}
		select {
		case <-ended:
			return false
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// spoil has the updater's calls fail until the update ended, or fills the disk.
func (m *machine) spoil(f fault, ended <-chan struct{}) {
	if f.trial != nil {
		if pid, held := installer.UpdateLockHolder(m.Layout); held {
			if release, err := m.inject(f.trial, pid); err == nil {
				<-ended
				release()
			}
		}
		return
	}
	filler, err := os.Create(filepath.Join(m.Root, "filler"))
	if err != nil {
		return
	}
	defer filler.Close()
	for size := 1 << 20; size > 0; {
		if _, err := filler.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
}
