//go:build boot && linux

package boot_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// inRoot runs a shell line in the root of a machine that does not run, as builders of images do.
func (m *machine) inRoot(line string) {
	m.t.Helper()
	cmd := exec.Command("chroot", m.root, "/bin/sh", "-ec", line)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"}
	if out, err := cmd.CombinedOutput(); err != nil {
		m.t.Fatalf("in the root, %s: %v\n%s", line, err, out)
	}
}

// What is put into a root in which nothing runs is enabled, and works from the first boot on; so is a package that was removed there
// and came back. Removed there, it leaves no link.
func TestAPackagePutIntoAnImageIsThereAtTheFirstBoot(t *testing.T) {
	const link = "/etc/systemd/system/multi-user.target.wants/amazon-ssm-agent.service"
	for _, s := range systems[:2] {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			h := &host{machine: rooted(t, s.base(t)), sys: s}
			h.inRoot(h.pkg("9.1.0.0", s.install))
			h.inRoot("test -L " + link)
			h.inRoot(s.remove + " && test ! -L " + link)
			h.inRoot(h.pkg("9.1.0.0", s.install))
			h.inRoot(h.pkg("9.2.0.0", s.upgrade))
			h.inRoot("test -e " + link)
			h.start()
			h.active()
			h.isEnabled("enabled")
			h.agentSays("9.2.0.0")
		})
	}
}

// shellSpec makes an rpm with a shell and the few programs that scriptlets call, copied from the machine.
const shellSpec = `Name: shell-and-tools
Version: 1
Release: 1
Summary: a shell
License: none
AutoReqProv: no
Provides: /bin/sh
%global __strip /bin/true
%description
A shell.
%install
mkdir -p %{buildroot}/bin %{buildroot}/lib64
cp /usr/bin/dash %{buildroot}/bin/sh
for tool in cat cksum date ln ls mkdir readlink rm sed sort stat; do cp /usr/bin/$tool %{buildroot}/bin/; done
for lib in $(ldd %{buildroot}/bin/* | grep -o '/[^ ]*\.so[^ ]*' | sort -u); do
	mkdir -p %{buildroot}${lib%/*}
	cp -L $lib %{buildroot}$lib
done
%files
/*
`

// An empty root gets the agent and its shell in one transaction, by rpm and by dnf --installroot. Neither systemd nor a tool is there
// before; the service is enabled for the day when systemd comes.
func TestAnRPMGoesIntoARootThatGetsItsShellInTheSameTransaction(t *testing.T) {
	t.Parallel()
	h := bare(t, systems[1])
	pkg := strings.TrimSpace(h.pkg("9.1.0.0", "%s"))
	h.put("root/shell.spec", shellSpec)
	h.sh("rpmbuild -bb --quiet --define '_topdir /root/build' --define 'debug_package %{nil}' /root/shell.spec")
	h.sh("mv /root/build/RPMS/*/shell-and-tools-1-1.*.rpm /root/shell.rpm")
	for _, line := range []string{"rpm --root ROOT -i " + pkg + " /root/shell.rpm",
		dnf + "--installroot=ROOT --setopt=reposdir=/nowhere --setopt=localpkg_gpgcheck=0 install " + pkg + " /root/shell.rpm"} {
		h.sh("rm -rf /root/new && mkdir -p /root/new/var/lib/rpm")
		if out, err := h.try("sh", "-c", strings.ReplaceAll(line, "ROOT", "/root/new")); err != nil || strings.Contains(out, "scriptlet failed") {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		to, err := os.Readlink(filepath.Join(h.root, "root/new/etc/systemd/system/multi-user.target.wants/amazon-ssm-agent.service"))
		if err != nil || to != "/usr/lib/systemd/system/amazon-ssm-agent.service" {
			t.Errorf("%s: the service is not enabled: %s, %v", line, to, err)
		}
		h.sh("test -x /root/new/usr/bin/ssm-agent-worker && test ! -e /root/new/var/lib/amazon/ssm/service-before-removal")
	}
	h.refused("is needed by amazon-ssm-agent", "mkdir -p /root/bare && rpm --root /root/bare -i "+pkg)
}

// dpkg keeps settings of a removed package, and calls its return no first installation. Where the agent's data was wiped between,
// it is one all the same: the service is enabled and starts.
func TestADebThatReturnsAfterItsDataWasWipedStartsAgain(t *testing.T) {
	t.Parallel()
	h := bare(t, systems[0])
	h.do("9.1.0.0", h.sys.install)
	h.active()
	h.sh("dpkg -r amazon-ssm-agent && rm -rf /var/lib/amazon")
	h.do("9.1.0.0", h.sys.install)
	h.active()
	h.isEnabled("enabled")
	h.sh("systemctl disable --now amazon-ssm-agent && rm -rf /var/lib/amazon && dpkg -r amazon-ssm-agent")
	h.do("9.1.0.0", h.sys.install)
	h.isEnabled("disabled")
}
