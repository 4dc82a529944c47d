//go:build integration

package publish_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/installer/sign"
)

// keyPair makes a key that is two days old.
func keyPair(t *testing.T, name string, c packet.Config) (private, public []byte) {
	t.Helper()
	made := time.Now().Add(-48 * time.Hour)
	c.Time = func() time.Time { return made }
	e, err := openpgp.NewEntity(name, "", "keys@example.com", &c)
	if err != nil {
		t.Fatal(err)
	}
	var texts [2]bytes.Buffer
	for i, kind := range []string{openpgp.PrivateKeyType, openpgp.PublicKeyType} {
		w, err := armor.Encode(&texts[i], kind, nil)
		if err != nil {
			t.Fatal(err)
		}
		if kind == openpgp.PublicKeyType {
			err = e.Serialize(w)
		} else {
			err = e.SerializePrivateWithoutSigning(w, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return texts[0].Bytes(), texts[1].Bytes()
}

// manager is a package manager of its own root, which reads one repository.
type manager struct {
	name   string
	setUp  func(t *testing.T, root, url string) // root/key.asc holds all keys that it trusts
	listed []string                             // fetches the repository's lists, checks them, and prints the versions in them
	says   string                               // of lists that are signed by none of those keys
	first  bool                                 // it looks at the first of several signatures only
}

var managers = []manager{
	{name: "apt", says: "NO_PUBKEY", setUp: func(t *testing.T, root, url string) {
		for _, dir := range []string{"etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/apt/trusted.gpg.d", "var/lib/dpkg",
			"var/lib/apt/lists/partial", "var/cache/apt/archives/partial"} {
			folder(t, root, dir)
		}
		file(t, root, "var/lib/dpkg/status", "")
		file(t, root, "etc/apt/sources.list", "deb [arch=amd64 signed-by="+root+"/key.asc] "+url+" stable main\n")
		file(t, root, "apt.conf", "Dir \""+root+"\";\nDir::State::status \""+root+"/var/lib/dpkg/status\";\nAPT::Architecture \"amd64\";\n"+
			"APT::Architectures { \"amd64\"; };\nAPT::Sandbox::User \"root\";\nAcquire::Languages \"none\";\nAPT::Update::Error-Mode \"any\";\n")
	}, listed: []string{"sh", "-ec", "apt-get update; apt-cache madison amazon-ssm-agent; apt-get download amazon-ssm-agent"}},
	{name: "dnf", says: "Bad GPG signature", setUp: func(t *testing.T, root, url string) {
		file(t, root, "dnf.conf", "[main]\ncachedir="+root+"/cache\nlogdir="+root+"/log\npersistdir="+root+"/persist\nreposdir="+root+"/repos\n")
		folder(t, root, "repos")
		file(t, root, "repos/ssm.repo", "[ssm]\nname=ssm\nbaseurl="+url+"/stable\n"+
			"skip_if_unavailable=0\nrepo_gpgcheck=1\ngpgkey=file://"+root+"/key.asc\n")
	}, listed: []string{"sh", "-ec", `dnf -y -c "$ROOT/dnf.conf" --installroot="$ROOT" --releasever=2023 repoquery amazon-ssm-agent`}},
	{name: "zypper", says: "signing key received", first: true, setUp: func(t *testing.T, root, url string) {
		for _, dir := range []string{"etc/zypp/repos.d", "var/lib/rpm"} {
			folder(t, root, dir)
		}
		file(t, root, "etc/zypp/repos.d/ssm.repo", "[ssm]\nname=ssm\nbaseurl="+url+"/stable\nenabled=1\nautorefresh=1\nrepo_gpgcheck=1\n")
	}, listed: []string{"sh", "-ec", `
rpm --root "$ROOT" --dbpath /var/lib/rpm --import "$ROOT/key.asc"
zypper --non-interactive --root "$ROOT" refresh --force
zypper --non-interactive --root "$ROOT" search --details amazon-ssm-agent`}},
}

func folder(t *testing.T, root, name string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(root, name), 0o755); err != nil {
		t.Fatal(err)
	}
}

func file(t *testing.T, root, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// reads has the manager read a repository, trusting one file of keys, in a new root.
func (m manager) reads(t *testing.T, url string, keys []byte) (out string, err error) {
	t.Helper()
	root := t.TempDir()
	file(t, root, "key.asc", string(keys))
	m.setUp(t, root, url)
	cmd := exec.Command(m.listed[0], m.listed[1:]...)
	cmd.Dir = root
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + root, "LC_ALL=C.UTF-8", "ROOT=" + root, "APT_CONFIG=" + root + "/apt.conf"}
	b, err := cmd.CombinedOutput()
	return string(b), err
}

// While one key takes the place of another, apt and dnf read the repositories with either key alone, and zypper with the old one; all
// refuse them with a third. A client that has the region's file of both keys by then goes on reading when the old key signs no more.
func TestPackageManagersReadWhatTwoKeysSignedWithEither(t *testing.T) {
	oldPrivate, oldPublic := keyPair(t, "Old", packet.Config{RSABits: 2048})
	nextPrivate, nextPublic := keyPair(t, "Next", packet.Config{RSABits: 3072})
	edPrivate, edPublic := keyPair(t, "Ed25519", packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, Curve: packet.Curve25519})
	_, foreign := keyPair(t, "Foreign", packet.Config{RSABits: 2048})
	for name, next := range map[string][2][]byte{"RSA": {nextPrivate, nextPublic}, "Ed25519": {edPrivate, edPublic}} {
		rotate(t, name, oldPrivate, oldPublic, next[0], next[1], foreign)
	}
}

func rotate(t *testing.T, kind string, oldPrivate, oldPublic, nextPrivate, nextPublic, foreign []byte) {
	dir := t.TempDir()
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(server.Close)
	signedBy := func(o sign.Options) publish.Options {
		o.Time, o.Now = time.Now().Add(-time.Hour), time.Now()
		s, err := sign.Open(o)
		if err != nil {
			t.Fatal(err)
		}
		return publish.Options{Repositories: true, Sign: s}
	}
	check := func(stage, version string, trusted map[string][]byte, refused map[string][]byte) {
		for _, m := range managers {
			t.Run(strings.Join([]string{kind, stage, m.name}, "/"), func(t *testing.T) {
				if m.name == "zypper" && os.Geteuid() != 0 {
					t.Skip("zypper changes its root only as root")
				}
				if _, err := exec.LookPath(m.name); err != nil {
					t.Fatalf("%s is not installed", m.name)
				}
				for who, keys := range trusted {
					if m.first && stage == "both" && bytes.Equal(keys, nextPublic) {
						continue // zypper 1.14 knows of no second signature
					}
					if out, err := m.reads(t, server.URL, keys); err != nil || !strings.Contains(out, version) {
						t.Errorf("with %s: %v\n%s", who, err, out)
					}
				}
				for who, keys := range refused {
					if out, err := m.reads(t, server.URL, keys); err == nil || !strings.Contains(out, m.says) {
						t.Errorf("with %s it is not refused: %v\n%s", who, err, out)
					}
				}
			})
		}
	}
	to := target.Folder(dir)
	publishTo(t, to, release(t, "9.1.0.0", "a"), signedBy(sign.Options{PGPKey: oldPrivate}))
	publishTo(t, to, release(t, "9.2.0.0", "b"), signedBy(sign.Options{PGPKey: oldPrivate, PGPNext: nextPrivate}))
	both := []byte(read(t, to, publish.KeyKey))
	check("both", "9.2.0.0", map[string][]byte{"the old key": oldPublic, "the new key": nextPublic, "the region's file": both},
		map[string][]byte{"a foreign key": foreign})

	publishTo(t, to, release(t, "9.3.0.0", "c"), signedBy(sign.Options{PGPKey: nextPrivate}))
	check("after", "9.3.0.0", map[string][]byte{"the region's file of before": both, "the new key": nextPublic},
		map[string][]byte{"the old key": oldPublic})
}
