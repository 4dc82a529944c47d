//go:build boot && linux

package boot_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/ssm-setup/ssm-setup/manifests"
)

// standIn makes a deb with the layout, unit and scripts of Amazon's (docs/protocol/update.md, "deb package"); its programs are
// test/original.
func standIn(t *testing.T, version, how string) []byte {
	t.Helper()
	dir := t.TempDir()
	tree := filepath.Join(dir, "tree")
	program := filepath.Join(tree, "usr/bin/amazon-ssm-agent")
	if out, err := outside("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X main.version="+version+" -X main.how="+how,
		"-o", program, "./test/original"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b, err := os.ReadFile(program)
	must(t, err)
	for _, name := range []string{"ssm-agent-worker", "ssm-document-worker"} {
		must(t, writeFile(filepath.Join(tree, "usr/bin", name), b, 0o755))
	}
	const systemd = "#!/bin/sh\n[ \"$(cat /proc/1/comm)\" = systemd ] || exit 0\n"
	arch, err := outside("dpkg", "--print-architecture")
	must(t, err)
	for name, text := range map[string]string{
		"lib/systemd/system/amazon-ssm-agent.service": originalUnit,
		"DEBIAN/control": "Package: amazon-ssm-agent\nVersion: " + version + "-1\nArchitecture: " + strings.TrimSpace(arch) +
			"\nSection: admin\nPriority: optional\nMaintainer: a test\nDescription: a stand-in\n",
		"DEBIAN/conffiles": "/lib/systemd/system/amazon-ssm-agent.service\n",
		"DEBIAN/preinst":   systemd + "systemctl stop amazon-ssm-agent 2>/dev/null\nsystemctl daemon-reload\n",
		"DEBIAN/postinst":  systemd + "systemctl enable amazon-ssm-agent\nsystemctl start amazon-ssm-agent\nsystemctl daemon-reload\n",
		"DEBIAN/prerm":     systemd + "systemctl stop amazon-ssm-agent\nsystemctl disable amazon-ssm-agent\nsystemctl daemon-reload\n",
	} {
		path := filepath.Join(tree, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		mode := os.FileMode(0o644)
		if strings.HasPrefix(text, "#!") {
			mode = 0o755
		}
		must(t, os.WriteFile(path, []byte(text), mode))
	}
	out := filepath.Join(dir, "out.deb")
	hostRun(t, "dpkg-deb", "-Zgzip", "--root-owner-group", "-b", tree, out)
	return readFile(t, out)
}

// amazonForm is how Amazon's agent is packed for a kind of system (docs/protocol/update.md, "Bucket layout").
type amazonForm struct{ archive, payload, loose string }

func formOf(s system) amazonForm {
	if s.name == "deb" {
		return amazonForm{"amazon-ssm-agent-ubuntu-" + runtime.GOARCH + ".tar.gz", "amazon-ssm-agent.deb", "debian_" + runtime.GOARCH}
	}
	return amazonForm{"amazon-ssm-agent-linux-" + runtime.GOARCH + ".tar.gz", "amazon-ssm-agent.rpm", "linux_" + runtime.GOARCH}
}

// asAmazon are the files of a bucket that has versions of Amazon's agent for Debian, signed by a key.
func asAmazon(t *testing.T, old []byte, key *openpgp.Entity, debs map[string][]byte) map[string][]byte {
	t.Helper()
	return formOf(systems[0]).bucket(t, old, key, debs)
}

// bucket are such files for any kind of system.
func (f amazonForm) bucket(t *testing.T, old []byte, key *openpgp.Entity, packages map[string][]byte) map[string][]byte {
	t.Helper()
	m := manifests.NewManifest(manifests.DefaultUriFormat)
	if old != nil {
		var err error
		m, err = manifests.ParseManifest(old)
		must(t, err)
	}
	files := map[string][]byte{}
	var newest manifests.Version
	for version, pkg := range packages {
		var b, sig bytes.Buffer
		z := gzip.NewWriter(&b)
		a := tar.NewWriter(z)
		for name, content := range map[string][]byte{f.payload: pkg, "install.sh": []byte("#!/bin/sh\n")} {
			must(t, a.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}))
			_, err := a.Write(content)
			must(t, err)
		}
		must(t, errors.Join(a.Close(), z.Close()))
		sum := sha256.Sum256(b.Bytes())
		m.Add("amazon-ssm-agent", f.archive, manifests.FileVersion{Version: version, Checksum: hex.EncodeToString(sum[:])})
		files["amazon-ssm-agent/"+version+"/"+f.archive] = b.Bytes()
		must(t, openpgp.DetachSign(&sig, key, bytes.NewReader(pkg), &packet.Config{}))
		loose := version + "/" + f.loose + "/" + f.payload
		files[loose], files[loose+".sig"] = pkg, sig.Bytes()
		if v := manifests.MustVersion(version); newest.Less(v) {
			newest = v
		}
	}
	files["ssm-agent-manifest.json"] = m.Bytes()
	files["latest/VERSION"], files["stable/VERSION"] = []byte(newest.String()), []byte(newest.String())
	return files
}

// amazons is a machine beside a region that has Amazon's agent.
type amazons struct {
	*host
	maker *openpgp.Entity
}

// offer has the region offer versions beside those that it has; how a version misbehaves stands behind a slash.
func (h amazons) offer(versions ...string) {
	h.t.Helper()
	packages, make := map[string][]byte{}, standIn
	if h.sys.name != "deb" {
		make = standInRPM
	}
	for _, v := range versions {
		version, how, _ := strings.Cut(v, "/")
		packages[version] = make(h.t, version, how)
	}
	old, _ := h.region.Get("ssm-agent-manifest.json")
	for key, content := range formOf(h.sys).bucket(h.t, old, h.maker, packages) {
		must(h.t, h.region.Put(key, content))
	}
}

// fails runs a line that must end with an exit code and say something.
func (h amazons) fails(code int, says, line string) {
	h.t.Helper()
	out := h.sh(line + "; echo code $?")
	if !strings.Contains(out, fmt.Sprintf("code %d\n", code)) || !strings.Contains(out, says) {
		h.t.Errorf("%s: want code %d and %q:\n%s", line, code, says, out)
	}
}

func newAmazons(t *testing.T) amazons { return amazonsOn(t, systems[0]) }

// amazonsOn is such a machine of a kind of system.
func amazonsOn(t *testing.T, s system) amazons {
	h := amazons{bare(t, s), newKey("SSM Agent", 0)}
	h.copy(filepath.Join(dist, "ssm-setup"), "/usr/bin/ssm-setup")
	h.copy(keyFile(t, h.maker, false), "/root/maker.asc")
	h.copy(keyFile(t, newKey("Stranger", 0), false), "/root/stranger.asc")
	h.copy(h.region.CredentialsFile(), "/root/credentials")
	h.sh("chmod 755 /usr/bin/ssm-setup")
	return h
}

// From Amazon's own bucket over https the manifest's SHA-256 is enough, and the result says what was not checked.
func TestAmazonsOwnBucketIsTrustedByItsManifest(t *testing.T) {
	h := newAmazons(t)
	const bucket, name = "/amazon-ssm-eu-west-1/", "s3.eu-west-1.amazonaws.com"
	files := asAmazon(t, nil, h.maker, map[string][]byte{"3.3.1.0": standIn(t, "3.3.1.0", "")})
	certificate, ca := certificateOf(t, name)
	listener, err := tls.Listen("tcp", "127.0.0.1:443", &tls.Config{Certificates: []tls.Certificate{certificate},
		MinVersion: tls.VersionTLS12})
	must(t, err)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, ok := files[strings.TrimPrefix(r.URL.Path, bucket)]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(content)))
		_, _ = w.Write(content)
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	h.put("root/ca.pem", string(ca))
	h.sh("echo '127.0.0.1 " + name + "' >>/etc/hosts")
	out := h.sh("AWS_CA_BUNDLE=/root/ca.pem ssm-setup install --region eu-west-1 --trial 3s 2>&1")
	if !strings.Contains(out, "signature not checked: no key for "+fmt.Sprintf("%X", h.maker.PrimaryKey.Fingerprint)) ||
		!strings.Contains(out, "not registered") {
		t.Errorf("%s", out)
	}
	h.active()
	h.fails(4, "signed by another party",
		"ssm-setup uninstall && AWS_CA_BUNDLE=/root/ca.pem ssm-setup install --region eu-west-1 --key /root/stranger.asc")
	h.sh("AWS_CA_BUNDLE=/root/ca.pem ssm-setup install --region eu-west-1 --trial 3s --key /root/maker.asc 2>&1 | grep 'signature good'")
}

// certificateOf is a certificate for a name, and the authority to trust.
func certificateOf(t *testing.T, name string) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
