//go:build boot && linux

package boot_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

// aptSource is the one source of a machine, with a key that it trusts.
func (m *machine) aptSource(url, key string) {
	m.t.Helper()
	m.sh("rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/lists/*")
	m.sh("mkdir -p /etc/apt/keyrings")
	m.copy(key, "etc/apt/keyrings/ssm-setup.asc")
	m.put("etc/apt/sources.list.d/ssm.list", "deb [signed-by=/etc/apt/keyrings/ssm-setup.asc] "+url+"/amazon-ssm-local stable main\n")
}

// TestAptInstallsAndUpgradesFromARegion installs, upgrades and goes back with apt alone, from a region that signs.
func TestAptInstallsAndUpgradesFromARegion(t *testing.T) {
	t.Parallel()
	m, r, key := boot(t, debian(t)), local.Start(t), signingKey()
	offer(t, r, "9.1.0.0", key)
	m.aptSource(r.URL(), publicKey())
	if got := get(t, r, "ssm-setup.asc"); !bytes.Contains(got, []byte("PUBLIC KEY")) || bytes.Contains(got, []byte("PRIVATE")) {
		t.Errorf("the region offers as its key\n%s", got)
	}

	m.run("apt-get", "update")
	m.run("apt-get", "install", "-y", "amazon-ssm-agent")
	m.agentSays("9.1.0.0")
	m.run("dpkg", "-V", "amazon-ssm-agent")
	if out := m.run("systemctl", "is-enabled", "amazon-ssm-agent"); strings.TrimSpace(out) != "enabled" {
		t.Errorf("the service is %s", out)
	}

	before := get(t, r, "dists/stable/InRelease")
	offer(t, r, "9.2.0.0", key)
	if out := m.run("apt-get", "update"); strings.Contains(out, "Err:") || strings.Contains(out, "W:") {
		t.Errorf("update says\n%s", out)
	}
	m.run("apt-get", "upgrade", "-y")
	m.agentSays("9.2.0.0")
	m.run("apt-get", "install", "-y", "--allow-downgrades", "amazon-ssm-agent=9.1.0.0*")
	m.agentSays("9.1.0.0")

	aptByHash(t, m, r, before)
	aptRefuses(t, m, r)

	// a version that is taken back is not offered any more
	changeRegion(t, r, "mark", "--version", "9.2.0.0", "--status", "Inactive", "--sign-pgp-key", key)
	m.run("apt-get", "update")
	if out := m.run("apt-cache", "policy", "amazon-ssm-agent"); strings.Contains(out, "9.2.0.0") {
		t.Errorf("policy\n%s", out)
	}
	m.run("apt-get", "purge", "-y", "amazon-ssm-agent")

	// a mirror behind a plain web server, with the region's own signature
	air := t.TempDir()
	if out, err := outside(filepath.Join(dist, "ssm-setup"), "mirror", "--region", "local", "--endpoint", r.URL(), "--version", "9.1.0.0",
		"--to", air); err != nil {
		t.Fatalf("mirror: %v\n%s", err, out)
	}
	must(t, r.Close())
	mirror := httptest.NewServer(http.FileServer(http.Dir(air)))
	defer mirror.Close()
	m.aptSource(mirror.URL, publicKey())
	m.sh("apt-get clean")
	m.run("apt-get", "update")
	m.run("apt-get", "install", "-y", "amazon-ssm-agent")
	m.agentSays("9.1.0.0")
}

// aptByHash shows that lists are read by their hashes: a client is served while their usual names change, and one that holds the
// index of before still finds what that names.
func aptByHash(t *testing.T, m *machine, r *local.Region, before []byte) {
	t.Helper()
	names, err := r.Keys("dists/stable/main/")
	must(t, err)
	good := map[string][]byte{}
	for _, key := range names {
		if !strings.Contains(key, "/by-hash/") {
			good[key] = get(t, r, key)
			must(t, r.Put(key, []byte("changing right now")))
		}
	}
	if len(good) == 0 {
		t.Error("there are no lists under their usual names")
	}
	m.sh("rm -rf /var/lib/apt/lists/*")
	m.run("apt-get", "update")
	if out := m.run("apt-cache", "policy", "amazon-ssm-agent"); !strings.Contains(out, "9.2.0.0") {
		t.Errorf("policy\n%s", out)
	}
	for key, data := range good {
		must(t, r.Put(key, data))
	}
	for _, found := range regexp.MustCompile(`(?m)^ ([0-9a-f]{64}) +[0-9]+ (\S+)/Packages`).FindAllSubmatch(before, -1) {
		get(t, r, "dists/stable/"+string(found[2])+"/by-hash/SHA256/"+string(found[1]))
	}
}

// aptRefuses shows what apt does not take: other texts, other keys, expired keys, no signature, other packages.
func aptRefuses(t *testing.T, m *machine, r *local.Region) {
	t.Helper()
	const update, inRelease = "rm -rf /var/lib/apt/lists/* && apt-get update", "dists/stable/InRelease"
	spoiled(t, r, inRelease, func(b []byte) []byte {
		return bytes.Replace(b, []byte("Label: ssm-setup"), []byte("Label: stranger!"), 1)
	},
		func() { m.refused("BADSIG", update) })

	key := get(t, r, "ssm-setup.asc")
	m.aptSource(r.URL(), keyFile(t, newKey("Stranger", 0), false))
	m.refused("NO_PUBKEY", update)
	m.aptSource(r.URL(), keyFile(t, expired(t, key), false))
	m.refused("EXPKEYSIG", update)
	m.aptSource(r.URL(), publicKey())

	unsigned := func([]byte) []byte { return get(t, r, "dists/stable/Release") }
	spoiled(t, r, inRelease, unsigned, func() { m.refused("not signed", update) })

	// a package that is not what the signed list says
	m.run("apt-get", "update")
	deb := "amazon-ssm-agent/9.2.0.0/amazon-ssm-agent-debian-" + runtime.GOARCH + ".deb"
	spoiled(t, r, deb, flip, func() { m.refused("Hash Sum mismatch", "apt-get clean; apt-get -y install amazon-ssm-agent") })
	m.agentSays("9.1.0.0")
}

// expired is the releases' key as a client has it that heard of its end: a year after its birth.
func expired(t *testing.T, public []byte) *openpgp.Entity {
	t.Helper()
	ring, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(public))
	must(t, err)
	own, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(readFile(t, signingKey())))
	must(t, err)
	e, year := own[0], uint32(365*24*3600)
	if e.PrimaryKey.KeyId != ring[0].PrimaryKey.KeyId {
		t.Fatalf("the region's key is %X, not %X", ring[0].PrimaryKey.KeyId, e.PrimaryKey.KeyId)
	}
	config := &packet.Config{Time: func() time.Time { return born.Add(time.Hour) }}
	for _, id := range e.Identities {
		id.SelfSignature.CreationTime, id.SelfSignature.KeyLifetimeSecs = config.Now(), &year
		must(t, id.SelfSignature.SignUserId(id.UserId.Id, e.PrimaryKey, e.PrivateKey, config))
	}
	return e
}

// An unsigned repository works for a system that is told to trust it, and for no other.
func TestAnUnsignedRepositoryIsRefusedUnlessTrusted(t *testing.T) {
	t.Parallel()
	m, r := boot(t, debian(t)), local.Start(t)
	changeRegion(t, r, "publish", "--from", filepath.Join(dist, "9.1.0.0"))
	m.aptSource(r.URL(), publicKey())
	m.refused("not signed", "apt-get update")
	m.put("etc/apt/sources.list.d/ssm.list", "deb "+r.URL()+"/amazon-ssm-local stable main\n")
	m.try("apt-get", "update")
	if out, err := m.try("apt-get", "install", "-y", "amazon-ssm-agent"); err == nil {
		t.Errorf("an unsigned repository passed\n%s", out)
	}
	m.put("etc/apt/sources.list.d/ssm.list", "deb [trusted=yes] "+r.URL()+"/amazon-ssm-local stable main\n")
	m.run("apt-get", "update")
	m.run("apt-get", "install", "-y", "amazon-ssm-agent")
	m.agentSays("9.1.0.0")
}
