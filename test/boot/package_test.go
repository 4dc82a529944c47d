//go:build boot && linux

package boot_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

// dist is the folder with ssm-setup, the releases 9.1.0.0, 9.2.0.0 and 9.3.0.0, and the key that signed them, made once.
var dist string

// signingKey is that key's file, publicKey the one for clients.
func signingKey() string { return filepath.Join(dist, "key.asc") }
func publicKey() string  { return filepath.Join(dist, "public.asc") }

func TestMain(m *testing.M) {
	if dist = os.Getenv("BOOT_DIST"); dist != "" { // as an earlier run made it
		os.Exit(m.Run())
	}
	code := func() int {
		dir, err := os.MkdirTemp("", "ssm-setup-boot-dist-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		dist = dir
		tool := filepath.Join(dir, "ssm-setup")
		if out, err := outside("go", "build", "-trimpath", "-buildvcs=false", "-o", tool, "./cmd/ssm-setup"); err != nil {
			fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
			return 1
		}
		key := newKey("Releases", 0)
		if err := errors.Join(writeKey(signingKey(), key, true), writeKey(publicKey(), key, false)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		for _, v := range []string{"9.1.0.0", "9.2.0.0", "9.3.0.0"} {
			if out, err := outside(tool, "build", "--version", v, "--platform", "linux/"+runtime.GOARCH, "--only", "deb,rpm,tar",
				"--sign-pgp-key", signingKey(), "--out", dir); err != nil {
				fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
				return 1
			}
		}
		return m.Run()
	}()
	os.Exit(code)
}

// outside runs a program on the host, in the source tree.
func outside(args ...string) (string, error) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "AWS_EC2_METADATA_DISABLED=true")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// system is one kind of machine that packages are installed on, by one program.
type system struct {
	name      string
	base      func(*testing.T) string
	prepare   func(*machine) // before anything is installed; may be nil
	file      string         // of a release
	install   string         // command line; %s is the package
	upgrade   string
	downgrade string
	reinstall string
	remove    string
	purge     string
	verify    string // prints what differs from the package
	unit      string // where the package puts the unit
	edited    string // where an admin writes another
	stops     int    // scripts that run at an upgrade
}

const (
	dnf    = "dnf -y --releasever=2023 "
	zypper = "zypper --non-interactive --no-refresh "
	rpmEnd = ".rpm"
)

var systems = []system{
	{name: "deb", base: debian, file: "amazon-ssm-agent-debian-" + runtime.GOARCH + ".deb",
		install: "dpkg -i %s", upgrade: "dpkg -i %s", downgrade: "dpkg -i %s", reinstall: "dpkg -i %s",
		remove: "dpkg -r amazon-ssm-agent", purge: "dpkg -P amazon-ssm-agent", verify: "dpkg -V amazon-ssm-agent",
		unit: "/lib/systemd/system/amazon-ssm-agent.service", edited: "/lib/systemd/system/amazon-ssm-agent.service", stops: 4},
	rpmSystem(system{name: "rpm", install: "rpm -i %s", upgrade: "rpm -U %s", downgrade: "rpm -U --oldpackage %s",
		reinstall: "rpm -U --replacepkgs %s",
		remove:    "rpm -e amazon-ssm-agent"}),
	rpmSystem(system{name: "dnf", install: dnf + "install %s", upgrade: dnf + "upgrade %s", downgrade: dnf + "downgrade %s", reinstall: dnf +
		"reinstall %s",
		remove: dnf + "remove amazon-ssm-agent"}),
	rpmSystem(system{name: "zypper", prepare: suse, install: zypper + "install %s", upgrade: zypper + "install %s",
		downgrade: zypper + "install --oldpackage %s", reinstall: zypper + "install --force %s",
		remove: zypper + "remove amazon-ssm-agent"}),
}

// rpmSystem adds what systems with rpm have in common.
func rpmSystem(s system) system {
	s.base, s.file, s.verify = fedoraLike, "amazon-ssm-agent-linux-"+runtime.GOARCH+rpmEnd, "rpm -V amazon-ssm-agent"
	if s.prepare == nil {
		s.prepare = trustKey
	}
	s.unit, s.edited, s.stops = "/usr/lib/systemd/system/amazon-ssm-agent.service", "/etc/systemd/system/amazon-ssm-agent.service", 5
	return s
}

// trustKey has rpm know the key of the releases: zypper installs nothing that is signed with an unknown one.
func trustKey(m *machine) {
	m.copy(publicKey(), "/root/public.asc")
	m.run("rpm", "--import", "/root/public.asc")
}

// suse has the system call itself SLES, with the preset that switches off every service that it does not name.
func suse(m *machine) {
	trustKey(m)
	m.put("etc/os-release", "NAME=\"SLES\"\nVERSION=\"15-SP5\"\nVERSION_ID=\"15.5\"\nID=\"sles\"\nID_LIKE=\"suse\"\n")
	m.put("usr/lib/systemd/system-preset/99-default.preset", "disable *\n")
}

// originalUnit says what the original's unit says (docs/protocol/update.md, "Service definitions").
const originalUnit = `[Unit]
Description=amazon-ssm-agent
After=network-online.target

[Service]
Type=simple
WorkingDirectory=/usr/bin/
ExecStart=/usr/bin/amazon-ssm-agent
KillMode=process
Restart=always
RestartPreventExitStatus=194
RestartSec=90

[Install]
WantedBy=multi-user.target
`

// host is a machine and the region it belongs to.
type host struct {
	*machine
	sys    system
	region *local.Region
	node   string
}

func (h *host) publish(version string) {
	h.t.Helper()
	cmd := exec.Command(filepath.Join(dist, "ssm-setup"), "publish", "--from", filepath.Join(dist, version), "--region", "local",
		"--endpoint", h.region.URL())
	cmd.Env = append(os.Environ(), "AWS_SHARED_CREDENTIALS_FILE="+h.region.CredentialsFile(), "AWS_EC2_METADATA_DISABLED=true")
	if out, err := cmd.CombinedOutput(); err != nil {
		h.t.Fatalf("publish %s: %v\n%s", version, err, out)
	}
}

// bare boots a machine with an empty region beside it.
func bare(t *testing.T, s system) *host {
	h := &host{machine: boot(t, s.base(t)), sys: s, region: local.Start(t)}
	if s.prepare != nil {
		s.prepare(h.machine)
	}
	return h
}

// start boots a machine with a region beside it that has 9.1.0.0.
func start(t *testing.T, s system) *host {
	h := bare(t, s)
	h.publish("9.1.0.0")
	return h
}

// pkg copies a release's package into the machine and fills a command line with its path.
func (h *host) pkg(version, line string) string {
	h.t.Helper()
	to := "/root/" + version + filepath.Ext(h.sys.file)
	h.copy(filepath.Join(dist, version, h.sys.file), to)
	return fmt.Sprintf(line, to)
}

// configure writes the settings that point the agent at the region.
func (h *host) configure() {
	h.t.Helper()
	url := h.region.URL()
	must(h.t, os.MkdirAll(filepath.Join(h.root, "etc/amazon/ssm"), 0o755))
	must(h.t, os.WriteFile(filepath.Join(h.root, "etc/amazon/ssm/amazon-ssm-agent.json"), fmt.Appendf(nil,
		`{"Ssm": {"Endpoint": %q}, "Mds": {"Endpoint": %q}, "Agent": {"UpdateSource": "%s/amazon-ssm-local/ssm-agent-manifest.json", "UpdateWatchSeconds": 8}}`,
		url, url, url), 0o600))
}

// register runs the agent's own command line.
func (h *host) register() { h.t.Helper(); h.registerAs("9.1.0.0") }

func (h *host) registerAs(version string) {
	h.t.Helper()
	id, code, err := h.region.CreateActivation(1)
	must(h.t, err)
	out := h.run("amazon-ssm-agent", "-register", "-y", "-region", "local", "-code", code, "-id", id)
	if !strings.Contains(out, "Successfully registered the instance with AWS SSM using Managed instance-id: mi-") {
		h.t.Fatalf("registration says: %s", out)
	}
	h.online(version)
	h.node = h.region.Instances()[0].InstanceID
}

// online waits until the region knows the agent under a version.
func (h *host) online(version string) {
	h.t.Helper()
	h.eventually("the region to know agent "+version, func() bool {
		nodes := h.region.Instances()
		return len(nodes) == 1 && nodes[0].AgentVersion == version && nodes[0].PingStatus == "Online"
	})
}

// command runs a document to its end and returns what the region recorded.
func (h *host) command(document string, parameters map[string][]string) local.Invocation {
	h.t.Helper()
	id, err := h.region.SendCommand(document, h.node, parameters)
	must(h.t, err)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	inv, err := h.region.WaitCommand(ctx, id, h.node)
	must(h.t, err)
	return inv
}

func (h *host) echo(text string) {
	h.t.Helper()
	inv := h.command("AWS-RunShellScript", map[string][]string{"commands": {"echo " + text}})
	if inv.Status != "Success" || strings.TrimSpace(inv.StandardOutput) != text {
		h.t.Fatalf("command: %+v", inv)
	}
}

func (h *host) active() {
	h.t.Helper()
	h.eventually("the service to be active", func() bool {
		out, _ := h.try("systemctl", "is-active", "amazon-ssm-agent")
		return strings.TrimSpace(out) == "active"
	})
}

// processes checks what a person sees in ps: one launcher, one worker under its usual path.
func (h *host) processes() {
	h.t.Helper()
	for name, count := range map[string]string{"amazon-ssm-agent": "pgrep -x amazon-ssm-agen | wc -l",
		"/usr/bin/ssm-agent-worker": "ps -e -o command | awk '$1 == \"/usr/bin/ssm-agent-worker\"' | wc -l"} {
		var n string
		if !comes(20*time.Second, func() bool { // a process that is just becoming another program still has its parent's name
			n = strings.TrimSpace(h.sh(count))
			return n == "1"
		}) {
			h.t.Errorf("%s processes %s:\n%s", n, name, h.sh("ps axo pid,ppid,comm,args"))
		}
	}
}

func (h *host) enabled() string {
	out, _ := h.try("systemctl", "is-enabled", "amazon-ssm-agent")
	return strings.TrimSpace(out)
}

// TestAPackageLivesThroughUpdateUpgradeAndRemoval is a package's whole life on a real system, with updates of the agent by itself between.
func TestAPackageLivesThroughUpdateUpgradeAndRemoval(t *testing.T) {
	for _, s := range systems[:2] {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			life(t, start(t, s))
		})
	}
}

func life(t *testing.T, h *host) {
	h.configure()
	h.sh(h.pkg("9.1.0.0", h.sys.install))
	h.active()
	if got := h.enabled(); got != "enabled" {
		t.Errorf("after installation the service is %s", got)
	}
	h.register()
	h.echo("installed")
	h.processes()
	if got := strings.TrimSpace(h.run("amazon-ssm-agent", "-version")); got != "SSM Agent version: 9.1.0.0" {
		t.Errorf("-version says %q", got)
	}

	// an update through the document, then a reboot
	h.publish("9.2.0.0")
	if inv := h.command("AWS-UpdateSSMAgent", nil); inv.Status != "Success" || !strings.Contains(inv.StandardOutput,
		"updated successfully to 9.2.0.0") {
		t.Fatalf("update: %+v\n%s", inv, h.sh("tail -n 40 /var/log/amazon/ssm/*.log; ls -la /var/lib/amazon/ssm"))
	}
	h.online("9.2.0.0")
	h.reboot()
	h.active()
	h.online("9.2.0.0")
	h.echo("rebooted")
	h.processes()

	// the original's unit text instead of ours
	must(t, os.WriteFile(filepath.Join(h.root, "root/original.service"), []byte(originalUnit), 0o644))
	h.sh("cp /root/original.service /etc/systemd/system/amazon-ssm-agent.service && systemctl daemon-reload && systemctl restart amazon-ssm-agent")
	h.active()
	h.echo("original-unit")
	h.processes()
	h.sh("rm /etc/systemd/system/amazon-ssm-agent.service && systemctl daemon-reload && systemctl restart amazon-ssm-agent")
	h.active()

	// a package upgrade keeps store, registration and settings; the service runs the new floor
	h.sh(h.pkg("9.3.0.0", h.sys.upgrade))
	h.active()
	h.online("9.3.0.0")
	h.echo("upgraded")
	h.processes()
	h.sh("test -x /var/lib/amazon/ssm/store/9.2.0.0/ssm-agent-worker")
	if nodes := h.region.Instances(); len(nodes) != 1 || nodes[0].InstanceID != h.node {
		t.Errorf("the registration changed: %+v", nodes)
	}

	h.sh(h.sys.remove)
	h.gone()
}

// gone checks what a removal leaves: no programs, no process, no store; data, settings, logs and registration stay.
func (h *host) gone() {
	h.t.Helper()
	for _, path := range []string{"/usr/bin/amazon-ssm-agent", "/usr/bin/ssm-agent-worker", "/usr/bin/ssm-cli", "/var/lib/amazon/ssm/store",
		"/var/lib/amazon/ssm/pointer", "/var/lib/amazon/ssm/ledger"} {
		if out, err := h.try("test", "-e", path); err == nil {
			h.t.Errorf("%s is still there %s", path, out)
		}
	}
	for _, path := range []string{"/etc/amazon/ssm/amazon-ssm-agent.json", "/var/lib/amazon/ssm/registration",
		"/var/lib/amazon/ssm/Vault/Manifest",
		"/var/log/amazon/ssm/amazon-ssm-agent.log"} {
		if _, err := h.try("test", "-e", path); err != nil {
			h.t.Errorf("%s is gone", path)
		}
	}
	var left string
	if !comes(20*time.Second, func() bool { // the worker of the last command may just be leaving
		out, err := h.try("pgrep", "-f", "ssm-agent")
		left = out
		return err != nil
	}) {
		h.t.Errorf("processes are left: %s", left)
	}
}

// TestTheToolInstallsTheSystemsPackage installs with ssm-setup itself, which picks the system's package.
func TestTheToolInstallsTheSystemsPackage(t *testing.T) {
	for _, s := range systems[:2] {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			h := start(t, s)
			h.copy(filepath.Join(dist, "ssm-setup"), "/usr/bin/ssm-setup")
			h.sh("chmod 755 /usr/bin/ssm-setup")
			id, code, err := h.region.CreateActivation(1)
			must(t, err)
			out := h.sh(fmt.Sprintf("printf %%s %s | ssm-setup install --region local --endpoint %s --activation-id %s --activation-code-file -",
				code, h.region.URL(), id))
			t.Log(out)
			h.active()
			h.online("9.1.0.0")
			h.node = h.region.Instances()[0].InstanceID
			h.echo("tool")
			h.sh("rm -r $(dirname $(systemctl show -p FragmentPath --value amazon-ssm-agent))/amazon-ssm-agent.service.d && " +
				"systemctl daemon-reload && ssm-setup status 2>&1 | grep 'lost its additions'")
			h.sh("ssm-setup install --region local --endpoint " + h.region.URL() + " && systemctl show -p RestartUSec amazon-ssm-agent | " +
				"grep -x RestartUSec=1s")
			h.publish("9.2.0.0")
			t.Log(h.sh("ssm-setup update"))
			h.online("9.2.0.0")
			t.Log(h.sh("ssm-setup rollback"))
			h.online("9.1.0.0")
			h.echo("back")
			t.Log(h.sh("ssm-setup status --json; ssm-setup uninstall"))
			h.gone()
		})
	}
}
