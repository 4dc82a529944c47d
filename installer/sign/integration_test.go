//go:build integration

package sign_test

import (
	"bytes"
	"context"
	"encoding/asn1"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/ssm-setup/ssm-setup/installer/container/xar"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/sign"
	"github.com/ssm-setup/ssm-setup/installer/sign/testca"
)

// These tests ask other people's programs, which look at the real clock.

// tool runs an installed program in a folder; it must succeed.
func tool(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Fatalf("%s is not installed", name)
	}
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GNUPGHOME="+dir, "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// real is setup with keys that are valid at the machine's time.
func real(t *testing.T, c packet.Config) (m made, dir string) {
	t.Helper()
	today := time.Now().UTC().Truncate(time.Second)
	dir = t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil { // gpg insists
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = exec.Command("gpgconf", "--homedir", dir, "--kill", "all").Run() }) // it leaves an agent behind
	m.authority = testca.New(t, today)
	m.stamps = m.authority.Serve(time.Now)
	chain, key := m.authority.RSA("Example Corp", testca.CodeSigning)
	c.Time = at(today.Add(-48 * time.Hour))
	private, public := pgpKey(t, c, "")
	m.key = public
	s, err := sign.Open(sign.Options{PGPKey: private, Cert: chain, Key: key, TimestampURL: m.stamps.URL, Time: today.Add(-time.Hour),
		Now: today})
	if err != nil {
		t.Fatal(err)
	}
	m.signer = s
	for name, b := range map[string][]byte{"root.pem": m.authority.Root(), "chain.pem": chain, "key.pem": key, "key.asc": public,
		"private.asc": private} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return m, dir
}

func TestGnuPGAcceptsOurSignatures(t *testing.T) {
	for name, c := range map[string]packet.Config{"RSA": {RSABits: 3072}, "EdDSA": {Algorithm: packet.PubKeyAlgoEdDSA,
		Curve: packet.Curve25519}} {
		m, dir := real(t, c)
		path := m.file(t, "deb")
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		sig, err := m.signer.Detach(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path+".sig", sig, 0o644); err != nil {
			t.Fatal(err)
		}
		tool(t, dir, "gpg", "--batch", "--import", "key.asc")
		tool(t, dir, "gpg", "--batch", "--output", "ring.gpg", "--export")
		for _, out := range []string{tool(t, dir, "gpg", "--batch", "--verify", path+".sig", path),
			tool(t, dir, "gpgv", "--keyring", filepath.Join(dir, "ring.gpg"), path+".sig", path)} {
			if !strings.Contains(out, `Good signature from "Tests <tests@example.com>"`) {
				t.Errorf("%s: %s", name, out)
			}
		}
		debsig(t, dir, path)
	}
}

// debsig has the package's inner signature checked as Debian's policy tool does it.
func debsig(t *testing.T, dir, path string) {
	t.Helper()
	var id string
	for _, line := range strings.Split(tool(t, dir, "gpg", "--batch", "--with-colons", "--list-keys"), "\n") {
		if f := strings.Split(line, ":"); f[0] == "pub" {
			id = f[4]
		}
	}
	for _, sub := range []string{"policies", "keyrings"} {
		if err := os.MkdirAll(filepath.Join(dir, sub, id), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	tool(t, dir, "cp", "ring.gpg", filepath.Join("keyrings", id, "ring.gpg"))
	policy := strings.ReplaceAll(`<?xml version="1.0"?>
<!DOCTYPE Policy SYSTEM "https://www.debian.org/debsig/1.0/policy.dtd">
<Policy xmlns="https://www.debian.org/debsig/1.0/"><Origin Name="Tests" id="ID" Description="tests"/>
<Selection><Required Type="origin" File="ring.gpg" id="ID"/></Selection>
<Verification MinOptional="0"><Required Type="origin" File="ring.gpg" id="ID"/></Verification></Policy>`, "ID", id)
	if err := os.WriteFile(filepath.Join(dir, "policies", id, "tests.pol"), []byte(policy), 0o644); err != nil {
		t.Fatal(err)
	}
	tool(t, dir, "debsig-verify", "--policies-dir", filepath.Join(dir, "policies"), "--keyrings-dir", filepath.Join(dir, "keyrings"), path)
	tool(t, dir, "dpkg-deb", "--info", path)
}

func TestRPMAcceptsOurSignatures(t *testing.T) {
	for name, c := range map[string]packet.Config{"RSA": {RSABits: 3072}, "EdDSA": {Algorithm: packet.PubKeyAlgoEdDSA,
		Curve: packet.Curve25519}} {
		m, dir := real(t, c)
		path := m.file(t, "rpm")
		tool(t, dir, "rpm", "--dbpath", dir, "--import", "key.asc")
		out := tool(t, dir, "rpm", "--dbpath", dir, "-Kv", path)
		if strings.Contains(out, "NOT") || strings.Count(out, "Signature, key ID") != 2 || strings.Count(out, ": OK") < 4 {
			t.Errorf("%s: %s", name, out)
		}
	}
}

func TestOsslsigncodeAcceptsOurSignatures(t *testing.T) {
	m, dir := real(t, packet.Config{RSABits: 2048})
	for _, kind := range []string{"exe", "msi"} {
		out := tool(t, dir, "osslsigncode", "verify", "-CAfile", "root.pem", "-TSA-CAfile", "root.pem", "-in", m.file(t, kind))
		if !strings.Contains(out, "Signature verification: ok") || !strings.Contains(out, "Timestamp verified using") ||
			!strings.Contains(out, "Authority Time Stamps") {
			t.Errorf("%s: %s", kind, out)
		}
	}
}

// Real programs: what Go links for Windows, on both architectures with a word of their own in the header.
func TestRealProgramsAreSigned(t *testing.T) {
	m, dir := real(t, packet.Config{RSABits: 2048})
	for name, text := range map[string]string{"go.mod": "module small\n\ngo 1.25\n",
		"main.go": "package main\n\nfunc main() { println(1) }\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, arch := range []string{"amd64", "386"} {
		path := filepath.Join(dir, arch+".exe")
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, ".")
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOOS=windows", "GOARCH="+arch, "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if err := m.signer.Authenticode(context.Background(), path); err != nil {
			t.Fatal(err)
		}
		tool(t, dir, "osslsigncode", "verify", "-CAfile", "root.pem", "-TSA-CAfile", "root.pem", "-in", path)
	}
}

func TestWeAcceptTheirSignatures(t *testing.T) {
	m, dir := real(t, packet.Config{RSABits: 2048})
	trusted := trusting(t, m.key, m.authority.Root())
	trusted.Now = time.Now()
	for kind, b := range map[string][]byte{"exe": exe(), "msi": msiFile(t)} {
		from, to := file(t, "in", b), filepath.Join(dir, "theirs."+kind)
		tool(t, dir, "osslsigncode", "sign", "-certs", "chain.pem", "-key", "key.pem", "-h", "sha256", "-ts", m.stamps.URL, "-in", from, "-out",
			to)
		if r, err := pack.Verify(to, trusted); err != nil || r.Trust != sign.ByCA || r.Signatures[0].StampedBy != "Authority Time Stamps" {
			t.Errorf("%s: %+v, %v", kind, r, err)
		}
	}
	tool(t, dir, "gpg", "--batch", "--import", "private.asc")
	for _, form := range []string{"--no-armor", "--armor"} {
		trusted.Now = time.Now().Add(time.Minute)
		path := file(t, "x", []byte("bytes"))
		tool(t, dir, "gpg", "--batch", form, "--output", path+".sig", "--detach-sign", path)
		if r, err := pack.Verify(path, trusted); err != nil || r.Trust != sign.ByKey {
			t.Errorf("gpg %s: %+v, %v", form, r, err)
		}
	}
}

// What a Mac checks: the signatures of a package's table of contents, looked at by openssl.
func TestOpenSSLAcceptsTheTableOfContents(t *testing.T) {
	m, dir := real(t, packet.Config{RSABits: 2048})
	b := read(t, m.file(t, "pkg"))
	a, err := xar.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil || len(a.Signatures) != 2 {
		t.Fatal(a, err)
	}
	write := func(name string, b []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("toc", a.Digest)
	for _, s := range a.Signatures {
		if s.Style == "RSA" {
			write("rsa", s.Bytes)
			tool(t, dir, "openssl", "x509", "-in", "chain.pem", "-pubkey", "-noout", "-out", "public.pem")
			tool(t, dir, "openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "public.pem", "-sigfile", "rsa", "-in", "toc", "-pkeyopt",
				"digest:sha256")
			continue
		}
		var der asn1.RawValue
		if _, err := asn1.Unmarshal(s.Bytes, &der); err != nil {
			t.Fatal(err)
		}
		write("cms", der.FullBytes)
		tool(t, dir, "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", "cms", "-content", "toc", "-CAfile", "root.pem",
			"-purpose", "any", "-out", "/dev/null")
	}
	tool(t, dir, "7z", "t", file(t, "a.pkg", b))
}

// Keys as openssl writes them.
func TestKeysThatOpenSSLWritesAreRead(t *testing.T) {
	_, dir := real(t, packet.Config{RSABits: 2048})
	today := time.Now()
	chain := read(t, filepath.Join(dir, "chain.pem"))
	for name, args := range map[string][]string{
		"PBES2, AES-256, SHA-256": {"pkcs8", "-topk8", "-in", "key.pem", "-out", "out", "-v2", "aes256", "-passout", "pass:secret words"},
		"PBES2, AES-128, SHA-1": {"pkcs8", "-topk8", "-in", "key.pem", "-out", "out", "-v2", "aes128", "-v2prf", "hmacWithSHA1", "-passout",
			"pass:secret words"},
		"DER":      {"pkcs8", "-topk8", "-in", "key.pem", "-outform", "DER", "-out", "out", "-passout", "pass:secret words"},
		"PKCS #1":  {"rsa", "-in", "key.pem", "-traditional", "-out", "out"},
		"PKCS #12": {"pkcs12", "-export", "-in", "chain.pem", "-inkey", "key.pem", "-out", "out", "-passout", "pass:secret words"},
	} {
		os.Remove(filepath.Join(dir, "out"))
		tool(t, dir, "openssl", args...)
		for words, good := range map[string]bool{"secret words": true, "other": name == "PKCS #1", "": name == "PKCS #1"} {
			o := sign.Options{Cert: chain, Key: read(t, filepath.Join(dir, "out")), Passphrase: words, Now: today}
			if name == "PKCS #12" {
				o.Cert, o.Key = o.Key, nil
			}
			if _, err := sign.Open(o); (err == nil) != good {
				t.Errorf("%s with passphrase %q: %v", name, words, err)
			}
		}
	}
}
