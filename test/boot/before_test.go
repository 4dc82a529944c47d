//go:build boot && linux

package boot_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// earlier is a commit whose packages lie on hosts, under the version 9.0.1.0 here.
const earlier = "46a3aad35054d2704bbd836348a7faf6ff4ced4b"

// packagesBefore builds the packages of that commit, once, into <dist>/9.0.1.0.
var packagesBefore = sync.OnceValue(func() error {
	script := `git -c safe.directory='*' archive "$1" | tar -x -C "$2" && cd "$2" &&
		go build -trimpath -buildvcs=false -o before-setup ./cmd/ssm-setup &&
./before-setup build --version 9.0.1.0 --platform "$3" --only deb,rpm --out "$4"`
	source := filepath.Join(dist, "before")
	if err := os.MkdirAll(source, 0o755); err != nil {
		return err
	}
	if out, err := outside("sh", "-ec", script, "sh", earlier, source, "linux/"+runtime.GOARCH, dist); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
})

// needBefore makes sure of those packages.
func needBefore(t *testing.T) {
	t.Helper()
	if err := exec.Command("git", "-c", "safe.directory=*", "cat-file", "-e", earlier+"^{commit}").Run(); err != nil {
		t.Skip("this clone has no commit of that release: fetch the whole history (git fetch --unshallow)")
	}
	must(t, packagesBefore())
}

// Hosts with packages of an earlier release are upgraded, go back and forward again, with a command under way each time; what an admin
// wrote stays in force, whatever folder the package of the day has its unit in.
func TestHostsWithEarlierPackagesAreUpgradedAndGoBackAndForward(t *testing.T) {
	for _, s := range systems {
		if s.name == "zypper" {
			continue // the same scriptlets in the same order as dnf's
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			needBefore(t)
			h := bare(t, s)
			h.configure()
			h.do("9.0.1.0", s.install)
			h.active()
			h.registerAs("9.0.1.0")

			h.underway("9.1.0.0", s.upgrade)
			h.pristine()
			h.unitIs(s.unit)
			h.underway("9.0.1.0", s.downgrade)
			h.underway("9.1.0.0", s.upgrade)
			h.unitIs(s.unit)

			// without its drop-in a unit restarts a killed launcher after 90 s; an upgrade puts it back
			h.sh("rm -r " + filepath.Dir(s.unit) + "/amazon-ssm-agent.service.d && systemctl daemon-reload && " +
				"systemctl show -p RestartUSec amazon-ssm-agent | grep -x 'RestartUSec=1min 30s'")
			h.do("9.1.0.0", s.reinstall)
			h.sh("systemctl show -p RestartUSec amazon-ssm-agent | grep -x RestartUSec=1s")
			h.active()

			h.do("9.0.1.0", s.downgrade)
			adminsUnit(h)
		})
	}
}

// adminsUnit begins and ends with the earlier package: an edited unit, then a masked one.
func adminsUnit(h *host) {
	h.t.Helper()
	h.sh("sed -i 's/^Description=.*/Description=ours/' " + unitBefore(h.sys) + " && cp " + unitBefore(h.sys) +
		" /root/edited && systemctl daemon-reload")
	for _, turn := range []struct{ version, line string }{{"9.1.0.0", h.sys.upgrade}, {"9.2.0.0", h.sys.upgrade}, {"9.0.1.0", h.sys.downgrade},
		{"9.2.0.0", h.sys.upgrade}, {"9.0.1.0", h.sys.downgrade}} {
		h.do(turn.version, turn.line)
		h.active()
		h.isEnabled("enabled")
		h.sh("cmp /root/edited " + unitBefore(h.sys) + " && test ! -e " + unitBefore(h.sys) +
			".rpmsave && systemctl show -p Description amazon-ssm-agent | grep -x Description=ours")
	}
	h.online("9.0.1.0")
	h.sh("systemctl stop amazon-ssm-agent && ln -sfn /dev/null /etc/systemd/system/amazon-ssm-agent.service && systemctl daemon-reload")
	h.do("9.1.0.0", h.sys.upgrade)
	if h.enabled() != "masked" || h.state() != "inactive" {
		h.t.Errorf("after the upgrade the masked service is %s, %s", h.enabled(), h.state())
	}
	h.sh("systemctl unmask amazon-ssm-agent && systemctl enable --now amazon-ssm-agent")
	h.active()
	h.online("9.1.0.0")
	h.echo("unmasked")
}

// unitBefore is where the earlier package has its unit.
func unitBefore(s system) string {
	if s.name == "deb" {
		return s.unit
	}
	return "/etc/systemd/system/amazon-ssm-agent.service"
}

// underway changes the package while a command runs, which ends well.
func (h *host) underway(version, line string) {
	h.t.Helper()
	id, err := h.region.SendCommand("AWS-RunShellScript", h.node, map[string][]string{"commands": {
		"touch /root/begun; while [ ! -e /root/go-on ]; do sleep 0.1; done; rm /root/begun /root/go-on; echo through"}})
	must(h.t, err)
	h.eventually("the command to run", func() bool { _, err := os.Stat(filepath.Join(h.root, "root/begun")); return err == nil })
	h.do(version, line)
	h.active()
	h.isEnabled("enabled")
	h.online(version)
	h.put("root/go-on", "")
	h.eventually("the command to end", func() bool {
		inv, err := h.region.WaitCommand(h.t.Context(), id, h.node)
		if err == nil && (inv.Status != "Success" || !strings.Contains(inv.StandardOutput, "through")) {
			h.t.Errorf("the command under way at the change to %s: %+v", version, inv)
		}
		return err == nil
	})
	h.echo("after-" + version)
}

// unitIs checks which unit the service manager uses, and that the link which enables the service leads to one.
func (h *host) unitIs(path string) {
	h.t.Helper()
	got := strings.TrimSpace(h.sh("systemctl show -p FragmentPath --value amazon-ssm-agent"))
	if strings.TrimPrefix(got, "/usr") != strings.TrimPrefix(path, "/usr") {
		h.t.Errorf("the unit in force is %s, not %s", got, path)
	}
	h.sh("test -e /etc/systemd/system/multi-user.target.wants/amazon-ssm-agent.service")
}

// originalSpec is an rpm with the original's layout and scriptlets (docs/protocol/update.md, "rpm package"); its agent only waits.
const originalSpec = `Name: amazon-ssm-agent
Version: 3.3.987.0
Release: 1
Summary: an original
License: none
%define __os_install_post %{nil}
%description
An original.
%install
mkdir -p %{buildroot}/usr/bin %{buildroot}/etc/systemd/system %{buildroot}/var/lib/amazon/ssm
printf '#!/bin/sh\n[ "$1" = -version ] && { echo "SSM Agent version: 3.3.987.0"; exit; }\nexec sleep 1000000\n' \
  >%{buildroot}/usr/bin/amazon-ssm-agent
cp %{buildroot}/usr/bin/amazon-ssm-agent %{buildroot}/usr/bin/ssm-agent-worker
chmod 755 %{buildroot}/usr/bin/*
cp /root/original.service %{buildroot}/etc/systemd/system/amazon-ssm-agent.service
%files
/usr/bin/*
%config(noreplace) /etc/systemd/system/amazon-ssm-agent.service
%dir /var/lib/amazon/ssm
%pre
if [ "$1" -ge 2 ]; then systemctl stop amazon-ssm-agent; systemctl daemon-reload; fi
%preun
if [ "$1" -eq 0 ]; then systemctl stop amazon-ssm-agent; systemctl disable amazon-ssm-agent; systemctl daemon-reload; fi
%posttrans
systemctl enable amazon-ssm-agent; systemctl start amazon-ssm-agent; systemctl daemon-reload
`

// An original's rpm, which brings the unit in /etc, is taken over by ours and comes back, with its unit as it was and with an edited one.
func TestAnRPMTakesOverFromTheOriginalsAndGivesBack(t *testing.T) {
	t.Parallel()
	h := bare(t, systems[1])
	h.put("root/original.service", originalUnit)
	h.put("root/original.spec", originalSpec)
	h.sh("rpmbuild -bb --quiet --define '_topdir /root/build' /root/original.spec && mv /root/build/RPMS/*/*.rpm /root/original.rpm")
	const etc = "/etc/systemd/system/amazon-ssm-agent.service"
	h.configure()
	h.sh("rpm -i /root/original.rpm")
	for _, edited := range []bool{false, true} {
		h.active()
		h.isEnabled("enabled")
		if edited {
			h.sh("sed -i 's/^Description=.*/Description=ours/' " + etc + " && cp " + etc + " /root/edited && systemctl daemon-reload")
		}
		h.do("9.1.0.0", h.sys.upgrade)
		h.active()
		h.isEnabled("enabled")
		h.agentSays("9.1.0.0")
		h.eventually("our agent to run", func() bool { return strings.Count(h.pids(), " ") == 1 })
		h.sh("test ! -e " + etc + ".rpmsave")
		if edited {
			h.unitIs(etc)
			h.sh("cmp /root/edited " + etc)
		} else {
			h.unitIs(h.sys.unit)
			h.sh("test ! -e " + etc)
		}
		h.reboot()
		h.active()
		h.sh("rpm -U --oldpackage /root/original.rpm")
		h.active()
		h.isEnabled("enabled")
		h.unitIs(etc)
	}
	h.sh("cmp /root/edited " + etc)
}
