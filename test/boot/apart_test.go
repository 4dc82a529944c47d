//go:build boot && linux

package boot_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// apart is what administrators add to units: each start of the service has a mount namespace of its own, so that no process of it sees
// the files by the same mounts as one of the start before.
const apart = `[Service]
PrivateTmp=yes
ProtectSystem=strict
ReadWritePaths=/etc/amazon /var/lib/amazon /var/log/amazon /run /root
`

// apartUnit has the service run so.
func (h *host) apartUnit() {
	h.t.Helper()
	h.put("etc/systemd/system/amazon-ssm-agent.service.d/apart.conf", apart)
	h.sh("mkdir -p /etc/amazon/ssm /var/lib/amazon/ssm /var/log/amazon/ssm && systemctl daemon-reload")
}

// mounts is the mount namespace of a process.
func (h *host) mounts(pid string) string {
	h.t.Helper()
	return strings.TrimSpace(h.run("readlink", "/proc/"+pid+"/ns/mnt"))
}

// Under PrivateTmp and ProtectSystem launcher, agent and document worker of one start live in another mount namespace than those of the
// next: the agent of before has to leave, and the worker has to be adopted, not waited for and not killed.
func TestUnderPrivateMountsARestartedServiceAdoptsTheCommandAtWork(t *testing.T) {
	t.Parallel()
	h := start(t, systems[0])
	h.configure()
	h.apartUnit()
	h.do("9.1.0.0", h.sys.install)
	h.active()
	h.register()
	for n, restart := range []string{
		"systemctl restart amazon-ssm-agent",
		"systemctl kill --kill-who=main --signal=KILL amazon-ssm-agent", // its agent lives on, and is asked to leave
	} {
		before := strings.Fields(h.pids())
		id, err := h.region.SendCommand("AWS-RunShellScript", h.node, map[string][]string{"commands": {
			"echo x >>/root/begun; while [ ! -e /root/go-on ]; do sleep 0.1; done; echo through"}})
		must(t, err)
		h.eventually("the command to run", func() bool { _, err := os.Stat(filepath.Join(h.root, "root/begun")); return err == nil })
		worker := strings.TrimSpace(h.run("pgrep", "-f", "ssm-document-worker"))
		h.sh(restart)
		var after []string
		h.eventually("another launcher and another agent, no more", func() bool {
			after = strings.Fields(h.pids())
			return len(after) == 2 && len(before) == 2 && after[0] != before[0] && after[1] != before[1]
		})
		if h.mounts(after[1]) == h.mounts(worker) {
			t.Error("the restarted agent has the mounts of the worker: nothing is shown")
		}
		h.echo(fmt.Sprint("beside-", n)) // the next agent is at work, and does not wait for the worker
		if now := strings.Fields(h.run("pgrep", "-f", "ssm-document-worker")); len(now) != 1 || now[0] != worker {
			t.Errorf("worker %s, now %v", worker, now)
		}
		h.put("root/go-on", "")
		inv, err := h.region.WaitCommand(t.Context(), id, h.node)
		must(t, err)
		if inv.Status != "Success" || strings.TrimSpace(inv.StandardOutput) != "through" {
			t.Errorf("%+v", inv)
		}
		if runs := h.run("cat", "/root/begun"); runs != "x\n" {
			t.Errorf("it ran %q", runs)
		}
		h.sh("rm /root/begun /root/go-on")
	}
}

// originalProgram is an original's agent: its main program ends when it is asked to, and leaves a worker that ends when a file appears.
const originalProgram = `package main

import (
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 {
		println("SSM Agent version: 3.3.987.0")
		return
	}
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGTERM)
	if filepath.Base(os.Args[0]) == "ssm-agent-worker" {
		for {
			if _, err := os.Stat("/root/leave"); err == nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	_ = exec.Command("/usr/bin/ssm-agent-worker").Start()
	<-c
}
`

// originalDeb makes the package of such an original in the machine (docs/protocol/update.md, "deb package").
func (h *host) originalDeb() {
	h.t.Helper()
	dir := h.t.TempDir()
	must(h.t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(originalProgram), 0o600))
	program := filepath.Join(dir, "original")
	cmd := exec.Command("go", "build", "-o", program, "main.go")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		h.t.Fatalf("%v\n%s", err, out)
	}
	h.copy(program, "/root/program")
	h.put("root/deb/DEBIAN/control", "Package: amazon-ssm-agent\nVersion: 3.3.987.0-1\nArchitecture: all\nMaintainer: none <none@example.com>\n"+
		"Description: an original\n")
	h.put("root/deb/DEBIAN/postinst", "#!/bin/sh\nsystemctl daemon-reload; systemctl enable amazon-ssm-agent; systemctl start amazon-ssm-agent\n")
	h.put("root/deb/DEBIAN/prerm", "#!/bin/sh\nsystemctl stop amazon-ssm-agent; systemctl disable amazon-ssm-agent; systemctl daemon-reload\n")
	h.put("root/deb/lib/systemd/system/amazon-ssm-agent.service", originalUnit)
	h.sh("cd /root && chmod 755 program deb/DEBIAN/p* && mkdir -p deb/usr/bin && cp program deb/usr/bin/amazon-ssm-agent && " +
		"cp program deb/usr/bin/ssm-agent-worker && dpkg-deb --build deb original.deb")
}

// dpkg replaces the programs of an original that runs, under mounts of its own; its worker outlives its main program. It is known all the
// same, and waited for.
func TestAnOriginalWhoseProgramDpkgReplacedIsWaitedForUnderPrivateMounts(t *testing.T) {
	t.Parallel()
	h := bare(t, systems[0])
	h.configure()
	h.originalDeb()
	h.apartUnit()
	h.sh("dpkg -i /root/original.deb")
	h.active()
	h.eventually("the original's worker", func() bool { _, err := h.try("pgrep", "-x", "ssm-agent-worke"); return err == nil })
	worker := strings.TrimSpace(h.run("pgrep", "-x", "ssm-agent-worke"))
	h.do("9.1.0.0", h.sys.upgrade)
	h.active()
	if exe := h.run("readlink", "/proc/"+worker+"/exe"); !strings.Contains(exe, "(deleted)") {
		t.Errorf("its program is %s", exe)
	}
	h.eventually("a launcher that waits", func() bool {
		out, _ := h.try("journalctl", "--no-pager", "-u", "amazon-ssm-agent")
		return strings.Contains(out, "an original agent is running")
	})
	time.Sleep(2 * time.Second)
	if got := strings.TrimSpace(h.run("pgrep", "-x", "ssm-agent-worke")); got != worker {
		t.Errorf("beside the original's worker %s: %s", worker, got)
	}
	h.put("root/leave", "")
	h.eventually("our agent", func() bool {
		pids := strings.Fields(h.pids())
		return len(pids) == 2 && pids[1] != worker
	})
	h.registerAs("9.1.0.0")
	h.echo("taken-over")
}
