//go:build boot && linux

package boot_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// standInRPM is standIn as an rpm (docs/protocol/update.md, "rpm package").
func standInRPM(t *testing.T, version, how string) []byte {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "program")
	if out, err := outside("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X main.version="+version+" -X main.how="+how,
		"-o", program, "./test/original"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	must(t, os.WriteFile(filepath.Join(dir, "unit"), []byte(originalUnit), 0o644))
	const systemd = "[ \"$(cat /proc/1/comm)\" = systemd ] || exit 0\n"
	spec := "Name: amazon-ssm-agent\nVersion: " + version + "\nRelease: 1\nSummary: a stand-in\nLicense: none\nAutoReqProv: no\n" +
		"%define __os_install_post %{nil}\n%define debug_package %{nil}\n%description\na stand-in\n%prep\n%build\n%install\n" +
		"install -D -m 755 " + program + " %{buildroot}/usr/bin/amazon-ssm-agent\n" +
		"install -D -m 755 " + program + " %{buildroot}/usr/bin/ssm-agent-worker\n" +
		"install -D -m 644 " + filepath.Join(dir, "unit") + " %{buildroot}/etc/systemd/system/amazon-ssm-agent.service\n" +
		"%files\n/usr/bin/amazon-ssm-agent\n/usr/bin/ssm-agent-worker\n%config(noreplace) /etc/systemd/system/amazon-ssm-agent.service\n" +
		"%pre\n" + systemd + "if [ $1 -ge 2 ]; then systemctl stop amazon-ssm-agent; systemctl daemon-reload; fi\n" +
		"%post\n" + systemd + "systemctl enable amazon-ssm-agent; systemctl start amazon-ssm-agent; systemctl daemon-reload\n" +
		"%preun\n" + systemd + "if [ $1 -eq 0 ]; then systemctl stop amazon-ssm-agent; systemctl disable amazon-ssm-agent; fi\n" +
		"%postun\n" + systemd + "systemctl daemon-reload\nif [ $1 -ge 1 ]; then systemctl enable amazon-ssm-agent; systemctl start amazon-ssm-agent; fi\n"
	must(t, os.WriteFile(filepath.Join(dir, "agent.spec"), []byte(spec), 0o644))
	hostRun(t, "rpmbuild", "-bb", "--define", "_topdir "+filepath.Join(dir, "top"), "--define", "_binary_payload w2.gzdio",
		filepath.Join(dir, "agent.spec"))
	found, err := filepath.Glob(filepath.Join(dir, "top/RPMS/*/amazon-ssm-agent-*.rpm"))
	if must(t, err); len(found) != 1 {
		t.Fatalf("rpmbuild made %v", found)
	}
	return readFile(t, found[0])
}

// The same with real rpm: from nothing to Amazon's agent, an update, a release that fails, back, over to ours and back, to nothing. Its
// database is consulted with dnf, too.
func TestAmazonsAgentIsInstalledUpdatedRolledBackMovedAndRemovedByRpm(t *testing.T) {
	t.Parallel()
	h := amazonsOn(t, systems[2])
	h.offer("3.3.9998.0")
	id, code, err := h.region.CreateActivation(2)
	must(t, err)
	region := " --region local --endpoint " + h.region.URL()
	activation := fmt.Sprintf("printf %%s %s | ", code)
	install := "ssm-setup install --trial 3s" + region
	with := " --activation-id " + id + " --activation-code-file - "

	h.fails(4, "no good signature", activation+install+with)
	h.fails(4, "signed by another party", activation+install+with+"--key /root/stranger.asc")
	h.sh("! rpm -q amazon-ssm-agent && test ! -e /var/lib/ssm-setup && test ! -e /var/lib/amazon")
	t.Log(h.sh(activation + install + with + "--key /root/maker.asc"))
	h.active()
	h.online("3.3.9998.0")
	h.isEnabled("enabled")
	h.sh("rpm -q amazon-ssm-agent | grep 3.3.9998.0 && dnf -q --disablerepo='*' list installed amazon-ssm-agent | grep 3.3.9998.0")

	h.offer("3.3.9999.0", "3.3.10000.0/complains")
	t.Log(h.sh("ssm-setup update --version 3.3.9999.0 --key /root/maker.asc --trial 3s"))
	h.online("3.3.9999.0")
	h.fails(9, "3.3.9999.0 is back", "ssm-setup update --key /root/maker.asc --trial 10s")
	h.online("3.3.9999.0")
	h.sh("rpm -q amazon-ssm-agent | grep 3.3.9999.0 && rpm -V amazon-ssm-agent")
	t.Log(h.sh("ssm-setup rollback --trial 3s"))
	h.online("3.3.9998.0")

	// over to ours and back
	h.publish("9.1.0.0")
	t.Log(h.sh("ssm-setup install --agent ours" + region))
	h.online("9.1.0.0")
	h.sh("rpm -q amazon-ssm-agent | grep 9.1.0.0 && test ! -e /var/lib/ssm-setup")
	out := h.sh(install + " --agent original --version 3.3.9998.0 --key /root/maker.asc 2>&1")
	t.Log(out)
	h.active()
	h.online("3.3.9998.0")
	h.isEnabled("enabled")
	h.sh("test ! -e /var/lib/amazon/ssm/store && test ! -e /var/lib/amazon/ssm/pointer")
	t.Log(h.sh("ssm-setup uninstall --purge"))
	if out := h.sh("rpm -q amazon-ssm-agent; true"); !strings.Contains(out, "is not installed") {
		t.Error(out)
	}
	h.sh("test ! -e /var/lib/ssm-setup && test ! -e /var/lib/amazon && test ! -e /etc/amazon && ! systemctl cat amazon-ssm-agent")
}
