//go:build boot && linux

package boot_test

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

// client is a program that installs from rpm repositories, and how it is told what.
type client struct {
	name, repo                                         string
	fresh                                              string // forgets what it has read
	refresh, install, upgrade, downgrade, remove       string
	unsignedList, otherKey, forgedList, packageChanged string // what it says to that
	packageUnsigned                                    string
	prepare                                            func(*machine)
}

var clients = []client{
	{name: "dnf", repo: "etc/yum.repos.d/ssm.repo", fresh: "dnf clean all", refresh: dnf + "makecache", install: dnf +
		"install amazon-ssm-agent",
		upgrade: dnf + "--refresh upgrade amazon-ssm-agent", downgrade: dnf + "downgrade amazon-ssm-agent-9.1.0.0", remove: dnf +
			"remove amazon-ssm-agent",
		unsignedList: "repomd.xml.asc", otherKey: "Bad GPG signature", forgedList: "Bad GPG signature", packageChanged: "checksum",
		packageUnsigned: "is not signed",
		prepare:         func(*machine) {}},
	{name: "zypper", repo: "etc/zypp/repos.d/ssm.repo", fresh: "zypper clean --all", refresh: "zypper --non-interactive refresh --force",
		install: "zypper --non-interactive install amazon-ssm-agent", upgrade: "zypper --non-interactive refresh && zypper --non-interactive update amazon-ssm-agent",
		downgrade: "zypper --non-interactive install --oldpackage amazon-ssm-agent=9.1.0.0", remove: "zypper --non-interactive remove amazon-ssm-agent",
		unsignedList: "unsigned", otherKey: "signing key received", forgedList: "Signature verification failed",
		packageChanged:  "Signature does not verify",
		packageUnsigned: "Signature verification failed", prepare: suse},
}

// TestRpmToolsInstallAndUpgradeFromARegion installs, upgrades and goes back with dnf and with zypper, from a region whose metadata
// and packages are signed, and both are checked.
func TestRpmToolsInstallAndUpgradeFromARegion(t *testing.T) {
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m, r := boot(t, fedoraLike(t)), local.Start(t)
			c.prepare(m)
			m.sh("rpm -e --allmatches gpg-pubkey 2>/dev/null; true") // trust comes with the repository's file alone
			offer(t, r, "9.1.0.0", signingKey())
			rpmSource(m, c, r, publicKey())
			m.sh(c.install)
			m.agentSays("9.1.0.0")
			m.sh("rpm -V amazon-ssm-agent && rpm -q gpg-pubkey && systemctl is-active amazon-ssm-agent && systemctl is-enabled amazon-ssm-agent")

			before := get(t, r, "stable/repodata/repomd.xml")
			offer(t, r, "9.2.0.0", signingKey())
			m.sh(c.upgrade)
			m.agentSays("9.2.0.0")
			for key := range listsOf(before) { // who read the index of before still finds what it names
				get(t, r, key)
			}
			m.sh(c.downgrade)
			m.agentSays("9.1.0.0")
			rpmRefuses(t, m, r, c)
			m.agentSays("9.1.0.0")
			m.sh(c.remove)
		})
	}
}

// rpmSource is the repository's file, in the words of both programs.
func rpmSource(m *machine, c client, r *local.Region, key string) {
	m.t.Helper()
	m.copy(key, "etc/ssm-setup.asc")
	if c.name == "zypper" { // without a person at the terminal it trusts what rpm trusts, no more
		m.run("rpm", "--import", "/etc/ssm-setup.asc")
	}
	m.put(c.repo, "[ssm]\nname=ssm\nbaseurl="+r.URL()+"/amazon-ssm-local/stable\nenabled=1\nskip_if_unavailable=0\nautorefresh=1\ngpgcheck=1\nrepo_gpgcheck=1\npkg_gpgcheck=1\ngpgkey=file:///etc/ssm-setup.asc\n")
}

// listsOf are the keys that a repomd.xml names.
func listsOf(repomd []byte) map[string]bool {
	keys := map[string]bool{}
	for _, part := range strings.Split(string(repomd), "href=\"")[1:] {
		key, _, _ := strings.Cut(part, "\"")
		keys["stable/"+key] = true
	}
	return keys
}

// rpmRefuses shows what is not taken: another list, no signature, another's key, another package, an unsigned package.
func rpmRefuses(t *testing.T, m *machine, r *local.Region, c client) {
	t.Helper()
	read := c.fresh + "; " + c.refresh
	spoiled(t, r, "stable/repodata/repomd.xml", func(b []byte) []byte { return bytes.Replace(b, []byte("<repomd "), []byte("<repomd  "), 1) },
		func() { m.refused(c.forgedList, read) })
	signature := get(t, r, "stable/repodata/repomd.xml.asc")
	must(t, r.Delete("stable/repodata/repomd.xml.asc"))
	m.refused(c.unsignedList, read)
	must(t, r.Put("stable/repodata/repomd.xml.asc", signature))

	// a client that trusts another key
	m.sh("rpm -e --allmatches gpg-pubkey; rm -rf /var/cache/dnf /var/cache/zypp /var/lib/zypp/pubkeys")
	rpmSource(m, c, r, keyFile(t, newKey("Stranger", 0), false))
	m.refused(c.otherKey, read)
	m.sh("rpm -e --allmatches gpg-pubkey 2>/dev/null; rm -rf /var/cache/dnf /var/cache/zypp /var/lib/zypp/pubkeys")
	rpmSource(m, c, r, publicKey())

	rpm := "amazon-ssm-agent/9.2.0.0/amazon-ssm-agent-linux-" + runtime.GOARCH + rpmEnd
	spoiled(t, r, rpm, flip, func() { m.refused(c.packageChanged, c.fresh+"; "+c.upgrade) })

	// metadata in order, and a package without signature
	unsigned := forged(t, "9.3.0.0", filepath.Base(rpm), func(path string) {
		hostRun(t, "rpmsign", "--delsign", path)
		must(t, os.RemoveAll(path+".sig"))
	})
	changeRegion(t, r, "publish", "--from", unsigned, "--sign-pgp-key", signingKey())
	m.refused(c.packageUnsigned, c.fresh+"; "+c.upgrade)
}
