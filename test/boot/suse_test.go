//go:build boot && linux

package boot_test

import (
	"strings"
	"testing"
)

// TestPresetsOfTheSystemDecideAboutTheService is a system as SUSE sets it up: presets decide about services that arrive, and a line
// in /etc/sysconfig/services about restarts at updates. The package has no macros of SUSE's, and does what they do.
func TestPresetsOfTheSystemDecideAboutTheService(t *testing.T) {
	t.Parallel()
	s := systems[1]
	s.prepare = suse
	h := bare(t, s)
	h.configure()

	// an admin's preset comes before the package's own
	h.put("etc/systemd/system-preset/10-site.preset", "disable amazon-ssm-agent.service\n")
	h.do("9.1.0.0", s.install)
	if h.enabled() != "disabled" || h.state() != "inactive" {
		t.Errorf("against an admin's preset the new service is %s, %s", h.enabled(), h.state())
	}
	h.sh(s.remove)

	// without it, the package's own comes before the vendor's "disable *"
	h.sh("rm /etc/systemd/system-preset/10-site.preset")
	h.do("9.1.0.0", s.install)
	h.active()
	h.isEnabled("enabled")
	h.sh("systemctl preset-all 2>/dev/null; true")
	h.isEnabled("enabled")
	h.register()

	// presets are for what arrives: an upgrade asks none
	h.put("etc/systemd/system-preset/10-site.preset", "disable amazon-ssm-agent.service\n")
	h.do("9.2.0.0", s.upgrade)
	h.isEnabled("enabled")
	h.online("9.2.0.0")

	// no restarts at updates: the agent stays the one it is, until the next restart
	h.put("etc/sysconfig/services", "## Type: yesno\nDISABLE_RESTART_ON_UPDATE=\"yes\"\n")
	before := h.pids()
	if said := h.do("9.3.0.0", s.upgrade); !strings.Contains(said, "the new version runs after the service's next restart") {
		t.Errorf("the upgrade says %s", said)
	}
	if now := h.pids(); now != before {
		t.Errorf("the agent's processes are %s, not %s", now, before)
	}
	h.echo("not-restarted")
	h.sh("systemctl restart amazon-ssm-agent")
	h.online("9.3.0.0")
}
