//go:build boot && linux

package boot_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// machine is a systemd system in a container: an overlay over a prepared root, sharing the host's network, so that a region
// on loopback is reached.
type machine struct {
	t    *testing.T
	name string
	root string   // merged overlay
	also []string // further arguments of systemd-nspawn

	mu      sync.Mutex
	nspawn  *exec.Cmd
	stopped bool
	ended   chan struct{}
}

// boot starts a machine over a base root; it is gone with the test.
func boot(t *testing.T, base string) *machine {
	t.Helper()
	m := rooted(t, base)
	m.start()
	return m
}

// rooted is a machine that was not started yet: its root can be changed from outside, as builders of images do.
func rooted(t *testing.T, base string) *machine {
	t.Helper()
	dir := t.TempDir()
	m := newMachine(t, dir)
	must(t, syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=755")) // what a machine writes is gone with it, and costs no disk
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Logf("unmount: %v", err)
		}
	})
	for _, d := range []string{"root", "upper", "work"} {
		must(t, os.MkdirAll(filepath.Join(dir, d), 0o755))
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s/upper,workdir=%s/work", base, dir, dir)
	must(t, syscall.Mount("overlay", m.root, "overlay", 0, options))
	t.Cleanup(func() {
		if err := syscall.Unmount(m.root, syscall.MNT_DETACH); err != nil {
			t.Logf("unmount: %v", err)
		}
	})
	must(t, os.WriteFile(filepath.Join(m.root, "etc/machine-id"), []byte(strings.Repeat("ab", 16)+"\n"), 0o444))
	return m
}

// newMachine has its root in a folder.
func newMachine(t *testing.T, dir string) *machine {
	return &machine{t: t, name: fmt.Sprintf("ssmboot%d-%08x", os.Getpid(), crc32.ChecksumIEEE([]byte(dir))),
		root: filepath.Join(dir, "root"), ended: make(chan struct{})}
}

// start boots it.
func (m *machine) start() {
	m.t.Helper()
	m.t.Cleanup(m.halt)
	go m.keepRunning()
	m.wait()
}

// spawn puts the container into a control group of its own, then becomes systemd-nspawn.
const spawn = `mountpoint -q /run/systemd/nspawn || { mkdir -p /run/systemd/nspawn; mount -t tmpfs tmpfs /run/systemd/nspawn; }
for h in systemd unified; do
  [ -d /sys/fs/cgroup/$h ] && mkdir -p /sys/fs/cgroup/$h/$1 && echo $$ > /sys/fs/cgroup/$h/$1/cgroup.procs
done
exec systemd-nspawn -q -D "$2" --boot --register=no --keep-unit --machine="$1" --console=read-only --resolv-conf=off "${@:3}"`

// keepRunning starts nspawn, and again after a reboot (exit code 133).
func (m *machine) keepRunning() {
	defer close(m.ended)
	for {
		m.mu.Lock()
		if m.stopped {
			m.mu.Unlock()
			return
		}
		cmd := exec.Command("bash", append([]string{"-c", spawn, "spawn", m.name, m.root}, m.also...)...)
		out := &bytes.Buffer{}
		cmd.Stdout, cmd.Stderr = out, out
		if err := cmd.Start(); err != nil {
			m.mu.Unlock()
			m.t.Errorf("systemd-nspawn: %v", err)
			return
		}
		m.nspawn = cmd
		m.mu.Unlock()
		err := cmd.Wait()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 133 {
			m.mu.Lock()
			if !m.stopped {
				m.t.Errorf("the machine ended: %v\n%s", err, out.String())
			}
			m.mu.Unlock()
			return
		}
	}
}

// leader is the host's pid of the machine's PID 1, 0 while there is none.
func (m *machine) leader() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.nspawn == nil || m.nspawn.Process == nil {
		return 0
	}
	out, _ := exec.Command("pgrep", "-P", strconv.Itoa(m.nspawn.Process.Pid)).Output()
	pid, _ := strconv.Atoi(strings.TrimSpace(strings.SplitN(string(out), "\n", 2)[0]))
	return pid
}

// wait returns when the system has come up.
func (m *machine) wait() {
	m.t.Helper()
	m.eventually("the machine to come up", func() bool {
		out, _ := m.try("systemctl", "is-system-running")
		return strings.HasPrefix(out, "running") || strings.HasPrefix(out, "degraded")
	})
}

// try runs a command inside and returns what it printed.
func (m *machine) try(args ...string) (string, error) {
	pid := m.leader()
	if pid == 0 {
		return "", errors.New("no machine")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "nsenter", append([]string{"-t", strconv.Itoa(pid), "-a", "--"}, args...)...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// run is try for what must work.
func (m *machine) run(args ...string) string {
	m.t.Helper()
	out, err := m.try(args...)
	if err != nil {
		m.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// sh runs a shell line that must work.
func (m *machine) sh(line string) string { m.t.Helper(); return m.run("sh", "-c", line) }

// reboot restarts the system and waits for it to be up again.
func (m *machine) reboot() {
	m.t.Helper()
	before := m.leader()
	m.try("systemctl", "reboot")
	m.eventually("the reboot", func() bool { p := m.leader(); return p != 0 && p != before })
	m.wait()
}

// halt ends the machine at once, with everything in it.
func (m *machine) halt() {
	m.mu.Lock()
	m.stopped = true
	m.mu.Unlock()
	if pid := m.leader(); pid != 0 {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	select {
	case <-m.ended:
	case <-time.After(patience):
		m.t.Error("the machine does not end")
	}
}

// copy puts a file of the host into the machine.
func (m *machine) copy(from, to string) {
	m.t.Helper()
	b, err := os.ReadFile(from)
	must(m.t, err)
	must(m.t, writeFile(filepath.Join(m.root, to), b, 0o644))
}

// writeFile makes a file that may be a program. No other test starts a process meanwhile: it would keep the file open for a
// moment, and a file that is open for writing cannot be run.
func writeFile(path string, b []byte, mode os.FileMode) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return os.WriteFile(path, b, mode)
}

func (m *machine) eventually(what string, ok func() bool) { m.t.Helper(); eventually(m.t, what, ok) }

// patience bounds every wait: it is no promise about how long anything takes.
const patience = 5 * time.Minute

// eventually waits for what must come, on a machine that may be busy.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	if !comes(patience, ok) {
		t.Fatalf("waited %s for %s in vain", patience, what)
	}
}

func comes(limit time.Duration, ok func() bool) bool {
	for end := time.Now().Add(limit); ; time.Sleep(100 * time.Millisecond) {
		if ok() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// bases are made one at a time.
var bases sync.Mutex

// base makes a root once a machine (kept in the temporary folder for the next run) and returns it. Its name depends on what it
// is made of: a root of another recipe is not taken for it.
func base(t *testing.T, name, include, finish string) string {
	t.Helper()
	bases.Lock()
	defer bases.Unlock()
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("ssm-setup-boot-%s-%08x", name, crc32.ChecksumIEEE([]byte(include+"\n"+finish))))
	if _, err := os.Stat(dir + ".done"); err == nil {
		return dir
	}
	os.RemoveAll(dir)
	for try := 1; ; try++ { // a mirror may fail now and then
		cmd := exec.Command("mmdebstrap", "--quiet", "--variant=minbase", "--include="+include, "bookworm", dir)
		out, err := cmd.CombinedOutput()
		if err == nil {
			break
		}
		if try == 3 {
			t.Fatalf("mmdebstrap: %v\n%s", err, out)
		}
		t.Logf("mmdebstrap: %v\n%s", err, out)
		os.RemoveAll(dir)
		time.Sleep(time.Duration(try) * 10 * time.Second)
	}
	if finish != "" {
		cmd := exec.Command("sh", "-ec", finish)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	must(t, os.WriteFile(dir+".done", nil, 0o644))
	return dir
}

// debian is a Debian system with systemd.
func debian(t *testing.T) string {
	return base(t, "debian", "systemd,systemd-sysv,dbus,procps,iproute2,ca-certificates,dmidecode", "")
}

// fedoraLike is a Debian-based system that installs with rpm, dnf and zypper and calls itself Amazon Linux. A small package
// provides what real ones have, so that dependencies resolve without force.
func fedoraLike(t *testing.T) string {
	return base(t, "rpm", "systemd,systemd-sysv,dbus,procps,iproute2,ca-certificates,rpm,dnf,zypper,gnupg", `
printf 'NAME="Amazon Linux"\nVERSION="2023"\nID="amzn"\nID_LIKE="fedora"\n' >etc/os-release.new
printf 'VERSION_ID="2023"\nPRETTY_NAME="Amazon Linux 2023"\n' >>etc/os-release.new
rm -f etc/os-release && mv etc/os-release.new etc/os-release
mkdir -p etc/rpm && echo '%_dbpath /var/lib/rpm' >>etc/rpm/macros
cat >tmp/base.spec <<SPEC
Name: base-system
Version: 1
Release: 1
Summary: what a system has
License: none
BuildArch: noarch
Provides: /bin/sh, systemd, glibc, shadow-utils, coreutils, system-release
%description
Provides what the packages of a real system provide.
%files
SPEC
chroot . rpmbuild -bb --quiet --define '_topdir /tmp/rpmbuild' /tmp/base.spec
chroot . rpm -i /tmp/rpmbuild/RPMS/noarch/base-system-1-1.noarch.rpm
rm -rf tmp/rpmbuild tmp/base.spec
`)
}
