//go:build boot && linux

package boot_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

// repositoryKey makes a key that signs repositories, and returns its file.
func repositoryKey(t *testing.T) string {
	t.Helper()
	e, err := openpgp.NewEntity("Repository", "for tests", "repository@example.test", nil)
	must(t, err)
	var b bytes.Buffer
	w, err := armor.Encode(&b, openpgp.PrivateKeyType, nil)
	must(t, err)
	must(t, e.SerializePrivate(w, nil))
	must(t, w.Close())
	file := filepath.Join(t.TempDir(), "key.asc")
	must(t, os.WriteFile(file, b.Bytes(), 0o600))
	return file
}

// offer publishes a version, signed if there is a key.
func offer(t *testing.T, r *local.Region, version, key string) {
	t.Helper()
	changeRegion(t, r, "publish", "--from", filepath.Join(dist, version), "--sign-pgp-key", key)
}

// changeRegion runs a verb of ssm-setup that changes the region.
func changeRegion(t *testing.T, r *local.Region, args ...string) {
	t.Helper()
	cmd := exec.Command(filepath.Join(dist, "ssm-setup"), append(args, "--region", "local", "--endpoint", r.URL())...)
	cmd.Env = append(os.Environ(), "AWS_SHARED_CREDENTIALS_FILE="+r.CredentialsFile(), "AWS_EC2_METADATA_DISABLED=true")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// put writes a file inside the machine.
func (m *machine) put(path, text string) {
	m.t.Helper()
	must(m.t, os.MkdirAll(filepath.Dir(filepath.Join(m.root, path)), 0o755))
	must(m.t, os.WriteFile(filepath.Join(m.root, path), []byte(text), 0o644))
}

func (m *machine) agentSays(version string) {
	m.t.Helper()
	if got := strings.TrimSpace(m.run("amazon-ssm-agent", "-version")); got != "SSM Agent version: "+version {
		m.t.Errorf("the agent says %q, not %s", got, version)
	}
}

// TestAptFromARegion installs, upgrades and goes back with apt alone, from a region that signs.
func TestAptFromARegion(t *testing.T) {
	m, r, key := boot(t, debian(t)), local.Start(t), repositoryKey(t)
	base := r.URL() + "/amazon-ssm-local"
	offer(t, r, "9.1.0.0", key)
	public, err := r.Get("ssm-setup.asc")
	must(t, err)
	m.sh("rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*")
	m.put("etc/apt/keyrings/ssm-setup.asc", string(public))
	m.put("etc/apt/sources.list.d/ssm.list", "deb [signed-by=/etc/apt/keyrings/ssm-setup.asc] "+base+" stable main\n")

	m.run("apt-get", "update")
	m.run("apt-get", "install", "-y", "amazon-ssm-agent")
	m.agentSays("9.1.0.0")
	m.run("dpkg", "-V", "amazon-ssm-agent")

	offer(t, r, "9.2.0.0", key)
	if out := m.run("apt-get", "update"); strings.Contains(out, "Err:") || strings.Contains(out, "W:") {
		t.Errorf("update says\n%s", out)
	}
	m.run("apt-get", "upgrade", "-y")
	m.agentSays("9.2.0.0")
	m.run("apt-get", "install", "-y", "--allow-downgrades", "amazon-ssm-agent=9.1.0.0*")
	m.agentSays("9.1.0.0")

	// a version that is taken back is not offered any more
	changeRegion(t, r, "mark", "--version", "9.2.0.0", "--status", "Inactive", "--sign-pgp-key", key)
	m.run("apt-get", "update")
	if out := m.run("apt-cache", "policy", "amazon-ssm-agent"); strings.Contains(out, "9.2.0.0") {
		t.Errorf("policy\n%s", out)
	}

	// a changed list, and another's signature, are refused
	name := "dists/stable/InRelease"
	good, err := r.Get(name)
	must(t, err)
	must(t, r.Put(name, bytes.Replace(good, []byte("Label: ssm-setup"), []byte("Label: somebody!"), 1)))
	m.sh("rm -rf /var/lib/apt/lists/*")
	if out, err := m.try("apt-get", "update"); err == nil && !strings.Contains(out, "BADSIG") {
		t.Errorf("a forged InRelease passed\n%s", out)
	}
	must(t, r.Put(name, good))
	m.run("apt-get", "update")
	m.run("apt-get", "remove", "-y", "amazon-ssm-agent")

	// a mirror behind a plain web server, with the region's own signature
	air := t.TempDir()
	if out, err := outside(filepath.Join(dist, "ssm-setup"), "mirror", "--region", "local", "--endpoint", r.URL(), "--version", "9.1.0.0", "--to", air); err != nil {
		t.Fatalf("mirror: %v\n%s", err, out)
	}
	must(t, r.Close())
	mirror := httptest.NewServer(http.FileServer(http.Dir(air)))
	defer mirror.Close()
	m.put("etc/apt/sources.list.d/ssm.list", "deb [signed-by=/etc/apt/keyrings/ssm-setup.asc] "+mirror.URL+"/amazon-ssm-local stable main\n")
	m.sh("rm -rf /var/lib/apt/lists/* && apt-get clean")
	m.run("apt-get", "update")
	m.run("apt-get", "install", "-y", "amazon-ssm-agent")
	m.agentSays("9.1.0.0")
}

// TestDnfFromARegion does the same with dnf.
func TestDnfFromARegion(t *testing.T) {
	m, r, key := boot(t, fedoraLike(t)), local.Start(t), repositoryKey(t)
	base := r.URL() + "/amazon-ssm-local"
	offer(t, r, "9.1.0.0", key)
	public, err := r.Get("ssm-setup.asc")
	must(t, err)
	m.put("etc/ssm-setup.asc", string(public))
	m.put("etc/yum.repos.d/ssm.repo", "[ssm]\nname=ssm\nbaseurl="+base+"\nenabled=1\ngpgcheck=0\nrepo_gpgcheck=1\ngpgkey=file:///etc/ssm-setup.asc\n")

	m.run("dnf", "-y", "--releasever=2023", "install", "amazon-ssm-agent")
	m.agentSays("9.1.0.0")
	offer(t, r, "9.2.0.0", key)
	m.run("dnf", "-y", "--releasever=2023", "--refresh", "upgrade", "amazon-ssm-agent")
	m.agentSays("9.2.0.0")
	m.run("dnf", "-y", "--releasever=2023", "downgrade", "amazon-ssm-agent-9.1.0.0")
	m.agentSays("9.1.0.0")
	if out := m.run("dnf", "--releasever=2023", "repoquery", "--provides", "amazon-ssm-agent-9.1.0.0"); !strings.Contains(out, "amazon-ssm-agent = 9.1.0.0") {
		t.Errorf("provides\n%s", out)
	}
	if out := m.run("dnf", "--releasever=2023", "repoquery", "-l", "amazon-ssm-agent-9.1.0.0"); !strings.Contains(out, "/usr/bin/ssm-agent-worker") {
		t.Errorf("files\n%s", out)
	}

	repomd, err := r.Get("repodata/repomd.xml")
	must(t, err)
	must(t, r.Put("repodata/repomd.xml", bytes.Replace(repomd, []byte("<repomd "), []byte("<repomd  "), 1)))
	m.run("dnf", "clean", "all")
	if out, _ := m.try("dnf", "-y", "--releasever=2023", "makecache"); !strings.Contains(out, "Bad GPG signature") {
		t.Errorf("a forged repomd.xml passed\n%s", out)
	}
	must(t, r.Put("repodata/repomd.xml", repomd))
	m.run("dnf", "-y", "--releasever=2023", "remove", "amazon-ssm-agent")
}

// TestUnsignedRepository works for those who say that they trust it, and for nobody else.
func TestUnsignedRepository(t *testing.T) {
	m, r := boot(t, debian(t)), local.Start(t)
	changeRegion(t, r, "publish", "--from", filepath.Join(dist, "9.1.0.0"))
	m.sh("rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*")
	m.put("etc/apt/sources.list.d/ssm.list", "deb "+r.URL()+"/amazon-ssm-local stable main\n")
	m.try("apt-get", "update")
	if out, err := m.try("apt-get", "install", "-y", "amazon-ssm-agent"); err == nil {
		t.Errorf("an unsigned repository passed\n%s", out)
	}
	m.put("etc/apt/sources.list.d/ssm.list", "deb [trusted=yes] "+r.URL()+"/amazon-ssm-local stable main\n")
	m.run("apt-get", "update")
	m.run("apt-get", "install", "-y", "amazon-ssm-agent")
	m.agentSays("9.1.0.0")
	if out := m.run("dpkg", "--print-architecture"); strings.TrimSpace(out) != map[string]string{"amd64": "amd64", "arm64": "arm64"}[runtime.GOARCH] {
		t.Errorf("architecture %s", out)
	}
}
