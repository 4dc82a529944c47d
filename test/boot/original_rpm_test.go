//go:build boot && linux

package boot_test

import (
	"os"
	"path/filepath"
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
