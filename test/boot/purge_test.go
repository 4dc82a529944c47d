//go:build boot && linux

package boot_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// Purge means purge: the package manager knows nothing of the package any more, and no file of the service, edited by an admin or moved
// aside by the package manager, is left; also where the package was removed before by other means.
func TestAnUninstallThatPurgesLeavesNothingBehind(t *testing.T) {
	for _, s := range systems[:2] {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			h := bare(t, s)
			h.copy(filepath.Join(dist, "ssm-setup"), "/usr/bin/ssm-setup")
			h.sh("chmod 755 /usr/bin/ssm-setup")
			for _, how := range []string{"ssm-setup uninstall --purge", s.remove + " && ssm-setup uninstall --purge"} {
				h.configure()
				h.do("9.1.0.0", s.install)
				h.active()
				h.sh("sed 's/^Description=.*/Description=ours/' " + s.unit + " >/root/edited && cp /root/edited " + s.edited +
					" && echo '# ours' >>/etc/init/amazon-ssm-agent.conf && mkdir -p /etc/systemd/system/amazon-ssm-agent.service.d && " +
					"printf '[Service]\\nNice=1\\n' >/etc/systemd/system/amazon-ssm-agent.service.d/nice.conf && systemctl daemon-reload")
				if said := h.sh(how); !strings.Contains(said, "nothing of it is left") {
					t.Errorf("it says %s", said)
				}
				if s.name == "deb" {
					h.sh("! dpkg -s amazon-ssm-agent && ! grep -q 'Package: amazon-ssm-agent' /var/lib/dpkg/status")
				}
				left := h.sh("find / -xdev \\( -path /proc -o -path /root -o -path '/tmp' \\) -prune -o \\( -name '*ssm-agent*' -o -path '*/amazon*' \\) -print")
				if left = strings.TrimSpace(left); left != "" {
					t.Errorf("%s leaves\n%s", how, left)
				}
				if out := h.sh("systemctl show -p LoadState amazon-ssm-agent"); strings.TrimSpace(out) != "LoadState=not-found" {
					t.Errorf("%s: the service is %s", how, out)
				}
			}
		})
	}
}
