//go:build boot && linux

package boot_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// It runs the scripts of the archives that original updaters unpack, on real systems, up to every exit code
// that they tell an updater something with (docs/protocol/update.md, "Script behaviour and exit codes"): 0 done, 1 arguments
// or service, 124 no init system, 125 package manager.
func TestUpdateArchivesEndWithTheCodesThatUpdatersKnow(t *testing.T) {
	for format, file := range map[string]string{"update-ubuntu": "amazon-ssm-agent-ubuntu-" + runtime.GOARCH + ".tar.gz",
		"update": "amazon-ssm-agent-linux-" + runtime.GOARCH + ".tar.gz"} {
		s := systems[0]
		if format == "update" {
			s = systems[1]
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			h := bare(t, s)
			for _, version := range []string{"9.1.0.0", "9.2.0.0"} {
				out := t.TempDir()
				if said, err := outside(filepath.Join(dist, "ssm-setup"), "build", "--version", version, "--platform", "linux/"+runtime.GOARCH,
					"--only", format, "--out", out); err != nil {
					t.Fatalf("%v\n%s", err, said)
				}
				must(t, os.MkdirAll(filepath.Join(h.root, "root", version), 0o755))
				h.copy(filepath.Join(out, version, file), "/root/"+version+".tar.gz")
				h.sh("tar -xzf /root/" + version + ".tar.gz -C /root/" + version)
			}
			archiveLife(h)
			archiveFaults(h)
		})
	}
}

// script runs a script of the archive of a version as an updater does, and checks its exit code and something it says.
func (h *host) script(code int, says, version, line string) {
	h.t.Helper()
	out, err := h.try("sh", "-c", "cd / && /root/"+version+"/"+line)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		got = -1
	}
	if got != code || !strings.Contains(out, says) {
		h.t.Errorf("%s of %s: exit code %d, not %d, or it does not say %q\n%s", line, version, got, code, says, out)
	}
}

// archiveLife is 0: on nothing with a registration, an update, the same again, back, removal, removal of nothing.
func archiveLife(h *host) {
	h.t.Helper()
	h.configure()
	id, code, err := h.region.CreateActivation(1)
	must(h.t, err)
	h.script(0, "Installed version: '9.1.0.0", "9.1.0.0", fmt.Sprintf("install.sh register-managed-instance %s %s local", code, id))
	h.isEnabled("enabled")
	h.online("9.1.0.0")
	h.node = h.region.Instances()[0].InstanceID
	h.echo("registered")

	h.script(0, "Installed version: '9.2.0.0", "9.2.0.0", "install.sh")
	h.online("9.2.0.0")
	h.script(0, "amazon-ssm-agent is running", "9.2.0.0", "install.sh")
	h.sh("systemctl stop amazon-ssm-agent")
	h.script(0, "amazon-ssm-agent is running", "9.2.0.0", "install.sh") // the same version, and the service was down

	// a downgrade: updaters run the newer version's removal first
	h.script(0, "", "9.2.0.0", "uninstall.sh")
	h.script(0, "", "9.2.0.0", "uninstall.sh")
	h.sh("test ! -e /usr/bin/amazon-ssm-agent")
	h.script(0, "Installed version: '9.1.0.0", "9.1.0.0", "install.sh")
	h.online("9.1.0.0")
	h.echo("downgraded")
}

// archiveFaults are the other codes; none of them costs the agent that is there.
func archiveFaults(h *host) {
	h.t.Helper()
	h.script(1, "[ERROR] Not enough parameters for RegisterManagedInstance.", "9.2.0.0", "install.sh register-managed-instance CODE")
	h.script(1, "[ERROR] Unknown argument", "9.2.0.0", "install.sh --force")

	// no init system that the scripts know
	hidden := func(script string) string {
		return fmt.Sprintf("../bin/unshare -m sh -c 'mount --bind /dev/null /usr/bin/systemctl && cd / && /root/9.2.0.0/%s'", script)
	}
	h.sh("mkdir -p /root/bin && ln -sf /usr/bin/unshare /root/bin/unshare")
	const platform = "The amazon-ssm-agent is not supported on this platform."
	h.script(124, platform, "9.2.0.0", hidden("install.sh"))
	h.script(124, platform, "9.2.0.0", hidden("uninstall.sh"))

	// a package manager that cannot write, and a package that is none
	database, pkg := "/var/lib/dpkg", "amazon-ssm-agent.deb"
	if h.sys.name != "deb" {
		database, pkg = "/var/lib/rpm", "amazon-ssm-agent.rpm"
	}
	readOnly := func(script string) string {
		return fmt.Sprintf("../bin/unshare -m sh -c 'mount --bind %s %s && mount -o remount,ro,bind %s && cd / && /root/9.2.0.0/%s'", database, database, database, script)
	}
	h.script(125, "Package manager failed with exit code", "9.2.0.0", readOnly("install.sh"))
	h.echo("not-written")
	h.script(125, "", "9.2.0.0", readOnly("uninstall.sh"))
	h.echo("not-removed")
	h.agentSays("9.1.0.0")
	h.sh("cp /root/9.2.0.0/" + pkg + " /root/whole && head -c 100000 /root/whole >/root/9.2.0.0/" + pkg)
	h.script(125, "Package manager failed with exit code", "9.2.0.0", "install.sh")
	h.sh("rm /root/9.2.0.0/" + pkg)
	h.script(125, "Package manager failed with exit code", "9.2.0.0", "install.sh")
	h.sh("mv /root/whole /root/9.2.0.0/" + pkg)
	h.active()
	h.echo("still-there")

	// a service that does not start
	h.sh("systemctl stop amazon-ssm-agent && mkdir -p /run/systemd/system/amazon-ssm-agent.service.d && " +
		"printf '[Service]\\nExecStartPre=/bin/false\\n' >/run/systemd/system/amazon-ssm-agent.service.d/no.conf && systemctl daemon-reload")
	h.script(1, "amazon-ssm-agent does not run after 10 seconds", "9.2.0.0", "install.sh")
	h.sh("rm -r /run/systemd/system/amazon-ssm-agent.service.d && systemctl daemon-reload && systemctl reset-failed amazon-ssm-agent")
	h.script(0, "amazon-ssm-agent is running", "9.2.0.0", "install.sh")
	h.online("9.2.0.0")
	h.script(0, "", "9.2.0.0", "uninstall.sh")
	h.gone()

	if h.sys.name != "deb" {
		return
	}
	// the pair for snaps, on a system that has none
	h.script(124, platform, "9.2.0.0", hidden("snap-uninstall.sh"))
	h.script(124, "[ERROR] Snap install is not supported on this instance.", "9.2.0.0", hidden("snap-install.sh"))
	h.script(1, "[ERROR] Snap is not available for this version.", "9.2.0.0", "snap-install.sh")
	h.sh("touch /root/9.2.0.0/amazon-ssm-agent.snap /root/9.2.0.0/amazon-ssm-agent.assert")
	h.script(125, "", "9.2.0.0", "snap-install.sh")
	h.script(0, "", "9.2.0.0", "snap-uninstall.sh")
}
