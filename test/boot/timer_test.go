//go:build boot && linux

package boot_test

import (
	"fmt"
	"testing"

	"github.com/ssm-setup/ssm-setup/regions"
)

// The timer under a real systemd: it is loaded and has a next time, what it runs updates Amazon's agent with the settings of the machine
// alone, it comes back after a reboot, and it goes with --no-stay-current and with the agent.
func TestTheTimerUpdatesAmazonsAgentAndGoesWithIt(t *testing.T) {
	t.Parallel()
	h := newAmazons(t)
	h.offer("3.3.1.0")
	id, code, err := h.region.CreateActivation(1)
	must(t, err)
	install := "ssm-setup install --trial 3s --region local --endpoint " + h.region.URL() + " --key /root/maker.asc"
	h.sh(fmt.Sprintf("printf %%s %s | ", code) + install + " --stay-current --activation-id " + id + " --activation-code-file -")
	h.online("3.3.1.0")
	const scheduled = "systemctl is-enabled ssm-setup-update.timer && systemctl is-active ssm-setup-update.timer && " +
		"test -n \"$(systemctl show -P NextElapseUSecRealtime ssm-setup-update.timer)\""
	h.sh(scheduled)

	h.offer("3.3.2.0")
	const run = "systemctl start ssm-setup-update.service"
	h.region.Put(regions.IndexKey, []byte(`{"schema":1,"halted":{"reason":"it leaks"}}`))
	h.sh(run + " && dpkg -s amazon-ssm-agent | grep '^Version: 3.3.1.0'")
	h.region.Put(regions.IndexKey, []byte(`{"schema":1,"versions":{"3.3.2.0":{"percent":0}}}`))
	h.sh(run + " && dpkg -s amazon-ssm-agent | grep '^Version: 3.3.1.0'")
	h.region.Put(regions.IndexKey, []byte(`{"schema":1}`))
	h.sh("systemctl start ssm-setup-update.service || { systemctl status --no-pager -l ssm-setup-update.service; exit 1; }")
	h.online("3.3.2.0")
	h.reboot()
	h.active()
	h.sh(scheduled)

	const gone = "! systemctl cat ssm-setup-update.timer && ! systemctl is-active ssm-setup-update.timer && " +
		"! ls /etc/systemd/system/*ssm-setup* /etc/systemd/system/timers.target.wants/*ssm-setup*"
	h.sh(install + " --no-stay-current")
	h.sh(gone)
	h.sh(install + " --stay-current")
	h.sh(scheduled)
	h.sh("ssm-setup uninstall --purge && " + gone)
}

// A package in place of another is an update like any other to the machine's policy.
func TestAPackageOverAHeldOneIsRefused(t *testing.T) {
	t.Parallel()
	h := newAmazons(t)
	h.publish("9.1.0.0")
	install := "ssm-setup install --region local --endpoint " + h.region.URL()
	h.sh(install)
	h.sh("ssm-setup hold --reason audit")
	h.publish("9.2.0.0")
	h.fails(5, "this host is held: audit", install+" --version 9.2.0.0 2>&1")
	h.fails(5, "this host is held: audit", install+" --version 9.2.0.0 --dry-run 2>&1")
	h.sh(install + " && dpkg -s amazon-ssm-agent | grep '^Version: 9.1.0.0'")
	h.sh("ssm-setup unhold && " + install + " --version 9.2.0.0 && dpkg -s amazon-ssm-agent | grep '^Version: 9.2.0.0'")
}
