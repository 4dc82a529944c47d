//go:build boot && linux

package boot_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// A proxy that only the shell has is named; one that is given is there for the service: in systemd's own file, or with a password in one
// that root alone reads. (The region is on the machine's own loopback, for which no proxy is asked.)
func TestTheServiceHasTheProxyThatTheToolWritesDown(t *testing.T) {
	t.Parallel()
	h := start(t, systems[0])
	h.copy(filepath.Join(dist, "ssm-setup"), "/usr/bin/ssm-setup")
	h.sh("chmod 755 /usr/bin/ssm-setup")
	id, code, err := h.region.CreateActivation(1)
	must(t, err)
	install := "ssm-setup install --region local --endpoint " + h.region.URL()
	said := h.sh(fmt.Sprintf("printf %%s %s | https_proxy=http://me:secret@proxy.example:3128 %s --activation-id %s --activation-code-file - 2>&1",
		code, install, id))
	if !strings.Contains(said, "xxxxx@proxy.example:3128 is set in this shell only") || strings.Contains(said, "secret") {
		t.Errorf("%s", said)
	}
	const environment = `tr '\0' '\n' </proc/$(systemctl show -p MainPID --value amazon-ssm-agent)/environ`
	if env := h.sh(environment); strings.Contains(env, "proxy") {
		t.Errorf("the service has it all the same: %s", env)
	}
	const dropIn = "/etc/systemd/system/amazon-ssm-agent.service.d/proxy-of-ssm-setup.conf"
	for _, answer := range []string{"no", "yes"} { // typed, at a terminal
		said := h.sh("printf '" + answer + "\\n' | https_proxy=http://typed.example:3128 script -qec '" + install + "' /dev/null 2>&1")
		_, err := h.try("grep", "-q", "https_proxy=http://typed.example:3128", dropIn)
		if !strings.Contains(said, "Type yes") || (err == nil) != (answer == "yes") {
			t.Errorf("%s: written down: %t\n%s", answer, err == nil, said)
		}
	}
	h.active()
	if env := h.sh(environment); !strings.Contains(env, "https_proxy=http://typed.example:3128\n") {
		t.Errorf("after the typed yes: %s", env)
	}
	h.sh(install + " --proxy http://me%40corp@proxy.example:3128 2>&1")
	h.active()
	if env := h.sh(environment); !strings.Contains(env, "https_proxy=http://me%40corp@proxy.example:3128\n") {
		t.Errorf("without a password: %s", env)
	}
	h.sh(install + " --proxy http://me:secret@proxy.example:3128 2>&1")
	h.active()
	if env := h.sh(environment); !strings.Contains(env, "https_proxy=http://me:secret@proxy.example:3128\n") {
		t.Errorf("with a password: %s", env)
	}
	h.sh("test $(stat -c %a:%u /etc/amazon/ssm/proxy.env) = 600:0 && ! grep -rqs secret " + dropIn +
		" /var/log/amazon && ! systemctl show amazon-ssm-agent | grep -q secret")
	if status := h.sh("ssm-setup status"); !strings.Contains(status, "xxxxx@proxy.example:3128") || strings.Contains(status, "secret") {
		t.Errorf("%s", status)
	}
	h.sh("ssm-setup uninstall --purge && test ! -e " + dropIn)
}
