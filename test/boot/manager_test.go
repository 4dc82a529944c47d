//go:build boot && linux

package boot_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestPackageManagersKeepTheAgentAtWork is what dpkg, rpm, dnf and zypper do to an agent at work, and what they leave to its admin:
// install, upgrade, downgrade, install again, remove, and back.
func TestPackageManagersKeepTheAgentAtWork(t *testing.T) {
	for _, s := range systems {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			h := bare(t, s)
			h.configure()
			h.do("9.1.0.0", s.install)
			h.active()
			h.isEnabled("enabled")
			h.register()
			h.pristine()

			h.watched(h.pkg("9.2.0.0", s.upgrade))
			h.agentSays("9.2.0.0")
			h.pristine()
			h.watched(h.pkg("9.1.0.0", s.downgrade))
			h.agentSays("9.1.0.0")
			h.online("9.1.0.0")
			h.do("9.1.0.0", s.reinstall)
			h.active()
			h.echo("again")
			h.processes()
			h.pristine()

			adminsWord(h)
			settings(h)
			removal(h)
		})
	}
}

// do runs a command line with a release's package.
func (h *host) do(version, line string) string {
	h.t.Helper()
	return h.sh(h.pkg(version, line))
}

// turns are an upgrade, a downgrade and a reinstallation, from 9.1.0.0 and back to it.
func (h *host) turns(check func(after string)) {
	h.t.Helper()
	for _, turn := range []struct{ name, version, line string }{{"upgrade", "9.2.0.0", h.sys.upgrade}, {"downgrade", "9.1.0.0",
		h.sys.downgrade},
		{"reinstallation", "9.1.0.0", h.sys.reinstall}} {
		h.do(turn.version, turn.line)
		check(turn.name)
	}
}

func (h *host) isEnabled(want string) {
	h.t.Helper()
	if got := h.enabled(); got != want {
		h.t.Errorf("the service is %s, not %s", got, want)
	}
}

func (h *host) state() string {
	out, _ := h.try("systemctl", "is-active", "amazon-ssm-agent")
	return strings.TrimSpace(out)
}

// pristine checks that nothing differs from the package.
func (h *host) pristine() {
	h.t.Helper()
	if out, err := h.try("sh", "-c", h.sys.verify); err != nil || out != "" {
		h.t.Errorf("%s: %v\n%s", h.sys.verify, err, out)
	}
}

// adminsWord shows that what an admin said of the service holds, whatever package comes.
func adminsWord(h *host) {
	h.t.Helper()
	h.sh("systemctl disable --now amazon-ssm-agent")
	h.turns(func(after string) {
		if h.enabled() != "disabled" || h.state() != "inactive" {
			h.t.Errorf("after the %s the disabled, stopped service is %s, %s", after, h.enabled(), h.state())
		}
	})
	h.sh("systemctl start amazon-ssm-agent")
	h.turns(func(after string) {
		h.active()
		if h.enabled() != "disabled" {
			h.t.Errorf("after the %s the disabled service, started by hand, is %s", after, h.enabled())
		}
	})
	h.echo("by-hand")
	h.sh("systemctl enable amazon-ssm-agent && systemctl stop amazon-ssm-agent")
	h.turns(func(after string) {
		if h.enabled() != "enabled" || h.state() != "inactive" {
			h.t.Errorf("after the %s the enabled, stopped service is %s, %s", after, h.enabled(), h.state())
		}
	})

	h.sh("systemctl mask amazon-ssm-agent")
	h.turns(func(after string) {
		if h.enabled() != "masked" || h.state() != "inactive" {
			h.t.Errorf("after the %s the masked service is %s, %s", after, h.enabled(), h.state())
		}
	})
	h.sh("systemctl unmask amazon-ssm-agent && systemctl enable --now amazon-ssm-agent")
	h.active()
}

// settings shows that edited files of the package, and the agent's own settings, stay.
func settings(h *host) {
	h.t.Helper()
	h.sh("sed 's/^Description=.*/Description=ours/' " + h.sys.unit + " >/root/edited && cp /root/edited " + h.sys.edited + " && echo '# ours' >>/etc/init/amazon-ssm-agent.conf && systemctl daemon-reload")
	before := h.sh("sha256sum /etc/amazon/ssm/amazon-ssm-agent.json")
	h.turns(func(after string) {
		if got := h.sh("systemctl show -p Description --value amazon-ssm-agent"); strings.TrimSpace(got) != "ours" {
			h.t.Errorf("after the %s the edited unit says %s", after, got)
		}
		if out, err := h.try("grep", "-q", "# ours", "/etc/init/amazon-ssm-agent.conf"); err != nil {
			h.t.Errorf("after the %s the edited job is another %s", after, out)
		}
		if now := h.sh("sha256sum /etc/amazon/ssm/amazon-ssm-agent.json"); now != before {
			h.t.Errorf("after the %s the settings are others", after)
		}
	})
	if h.sys.name == "deb" {
		newConffile(h)
	}
}

// newConffile shows what dpkg does where the admin and a new package changed the same file: without a terminal it gives up, with
// the answer that updaters give it keeps the admin's.
func newConffile(h *host) {
	h.t.Helper()
	dir := h.t.TempDir()
	from, to := filepath.Join(dist, "9.2.0.0", h.sys.file), filepath.Join(dir, "changed.deb")
	if out, err := outside("sh", "-ec", `dpkg-deb -R "$1" "$2/tree"
sed -i 's/^Version:.*/Version: 9.2.0.1-1/' "$2/tree/DEBIAN/control"
sed -i 's/^Description=.*/Description=theirs/' "$2/tree/lib/systemd/system/amazon-ssm-agent.service"
dpkg-deb -b -Znone --root-owner-group "$2/tree" "$3"`, "sh", from, dir, to); err != nil {
		h.t.Fatalf("%v\n%s", err, out)
	}
	h.copy(to, "/root/changed.deb")
	if out, err := h.try("dpkg", "-i", "/root/changed.deb"); err == nil || !strings.Contains(out, "conffile") {
		h.t.Errorf("dpkg does not ask about a file that both changed: %v\n%s", err, out)
	}
	h.active()
	h.sh("dpkg --force-confdef --force-confold -i /root/changed.deb")
	h.active()
	if got := h.sh("systemctl show -p Description --value amazon-ssm-agent"); strings.TrimSpace(got) != "ours" {
		h.t.Errorf("the admin's unit is gone: it says %s", got)
	}
	h.sh("grep -q theirs " + h.sys.unit + ".dpkg-dist")
	h.do("9.1.0.0", "dpkg --force-confold -i %s")
}

// removal shows what stays, what goes, and what is remembered when the package comes back.
func removal(h *host) {
	h.t.Helper()
	h.active()
	h.sh(h.sys.remove)
	h.gone()
	if h.sys.purge == "" {
		h.sh("test -e /etc/init/amazon-ssm-agent.conf.rpmsave && cmp /root/edited " + h.sys.edited + " && ! test -e " + h.sys.unit)
		h.do("9.2.0.0", h.sys.install)
		h.active()
		h.isEnabled("enabled")
		h.online("9.2.0.0")
		h.echo("back")
		h.sh(h.sys.remove)
		h.gone()
		return
	}
	h.sh("test -e " + h.sys.unit) // edited, and kept until the purge
	h.do("9.2.0.0", h.sys.install)
	h.active()
	h.isEnabled("enabled")
	h.online("9.2.0.0")
	h.echo("back")
	h.sh("systemctl disable --now amazon-ssm-agent")
	h.sh(h.sys.remove)
	h.do("9.2.0.0", h.sys.install)
	h.isEnabled("disabled")
	if h.state() != "inactive" {
		h.t.Errorf("the service that was disabled before a removal is %s", h.state())
	}
	h.sh(h.sys.purge)
	h.gone()
	for _, path := range []string{h.sys.unit, "/etc/init/amazon-ssm-agent.conf"} {
		h.sh("! test -e " + path)
	}
}
