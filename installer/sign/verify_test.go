package sign_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	relic "github.com/sassoftware/relic/v7/lib/fruit/xar"

	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/sign"
	"github.com/ssm-setup/ssm-setup/installer/sign/testca"
)

// made is one signed file of each kind, made with the same keys.
type made struct {
	authority *testca.Authority
	stamps    *testca.Stamps
	key       []byte // OpenPGP, public
	signer    *sign.Signer
}

func setup(t testing.TB, stamped bool) made {
	t.Helper()
	m := made{authority: testca.New(t, now)}
	chain, key := m.authority.RSA("Example Corp", testca.CodeSigning)
	private, public := pgpKey(t, packet.Config{RSABits: 2048}, "")
	m.key = public
	o := sign.Options{PGPKey: private, Cert: chain, Key: key}
	if stamped {
		m.stamps = m.authority.Serve(at(now))
		o.TimestampURL = m.stamps.URL
	}
	m.signer = open(t, o)
	return m
}

// file makes one kind.
func (m made) file(t testing.TB, kind string) string {
	t.Helper()
	ctx := context.Background()
	var err error
	path := filepath.Join(t.TempDir(), "a."+kind)
	var b []byte
	switch kind {
	case "deb", "rpm":
		b = packed(t, kind, m.signer)
	case "pkg":
		list, err := m.signer.Xar(ctx)
		if err != nil {
			t.Fatal(err)
		}
		b = pkgFile(t, list)
	case "exe":
		b = exe()
	case "msi":
		b = msiFile(t)
	}
	if err = os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	if kind == "exe" || kind == "msi" {
		err = m.signer.Authenticode(ctx, path)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var kinds = []string{"deb", "rpm", "exe", "msi", "pkg"}

func TestEveryKindIsSignedAndVerified(t *testing.T) {
	for _, stamped := range []bool{false, true} {
		m := setup(t, stamped)
		for _, kind := range kinds {
			path := m.file(t, kind)
			r, err := pack.Verify(path, trusting(t, m.key, m.authority.Root()))
			if err != nil || r.Kind != kind || len(r.Signatures) == 0 {
				t.Fatalf("%s: %+v, %v", kind, r, err)
			}
			for _, s := range r.Signatures {
				pgp := s.Kind == "OpenPGP"
				if pgp && (s.Trust != sign.ByKey || s.By != "Tests <tests@example.com>" || !s.Made.Equal(epoch)) {
					t.Errorf("%s: %+v", kind, s)
				}
				if !pgp && (s.Trust != sign.ByCA || s.By != "Example Corp" || len(s.Chain) != 2 || !strings.Contains(s.Issuer, "Authority Issuer")) {
					t.Errorf("%s: %+v", kind, s)
				}
				if want := stamped && !pgp && s.Kind != "RSA"; want != s.Stamped.Equal(now) || want != (s.StampedBy == "Authority Time Stamps") {
					t.Errorf("%s: stamped %v by %q", kind, s.Stamped, s.StampedBy)
				}
			}
		}
	}
}

// Developer ID has certificates of their own for packages: Authenticode takes one, pkg the other.
func TestAPkgIsSignedWithItsOwnCertificate(t *testing.T) {
	n := testca.New(t, now)
	code, codeKey := n.RSA("Code Corp", testca.CodeSigning)
	installer, installerKey := n.RSA("Developer ID Installer: Example", testca.AppleInstaller)
	web, webKey := n.RSA("Server", testca.ServerAuth)
	m := made{authority: n, signer: open(t, sign.Options{Cert: code, Key: codeKey, PkgCert: installer, PkgKey: installerKey})}
	for kind, by := range map[string]string{"exe": "Code Corp", "pkg": "Developer ID Installer: Example"} {
		r, err := pack.Verify(m.file(t, kind), trusting(t, nil, n.Root()))
		if err != nil || r.Trust != sign.ByCA || r.Signatures[0].By != by {
			t.Errorf("%s: %+v, %v", kind, r, err)
		}
	}
	only := open(t, sign.Options{PkgCert: installer, PkgKey: installerKey})
	if only.Windows() || !only.Pkg() {
		t.Error("a certificate for packages signs programs, or no packages")
	}
	if err := only.Authenticode(context.Background(), file(t, "a.exe", exe())); !errors.Is(err, sign.ErrKey) {
		t.Error(err)
	}
	for name, o := range map[string]sign.Options{"for web servers": {PkgCert: web, PkgKey: webKey}, "without its key": {PkgCert: installer},
		"key of another": {PkgCert: installer, PkgKey: codeKey}, "without certificate": {PkgKey: installerKey}} {
		if _, err := tryOpen(o); !errors.Is(err, sign.ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Without keys of one's own it is told who claims to have signed, never that this is to be believed.
func TestNothingIsBelievedWithoutAName(t *testing.T) {
	m := setup(t, false)
	for kind, want := range map[string]sign.Trust{"deb": sign.NotChecked, "rpm": sign.NotChecked, "exe": sign.Integrity,
		"msi": sign.Integrity, "pkg": sign.Integrity} {
		r, err := pack.Verify(m.file(t, kind), sign.Trusted{Now: now})
		if err != nil || r.Trust != want {
			t.Errorf("%s: %+v, %v", kind, r, err)
		}
		if strings.Contains(strings.ToLower(r.Note), "notarised") {
			t.Errorf("%s: %s", kind, r.Note)
		}
	}
}

func TestASignatureByAnotherKeyIsNotTrusted(t *testing.T) {
	m, other := setup(t, false), setup(t, false)
	for _, kind := range kinds {
		if r, err := pack.Verify(m.file(t, kind), trusting(t, other.key, other.authority.Root())); !errors.Is(err, sign.ErrUntrusted) {
			t.Errorf("%s: %+v, %v", kind, r, err)
		}
		// What was named does not fit the kind of signature: that must not pass either.
		var only sign.Trusted
		if kind == "deb" || kind == "rpm" {
			only = trusting(t, nil, m.authority.Root())
		} else {
			only = trusting(t, m.key, nil)
		}
		if r, err := pack.Verify(m.file(t, kind), only); !errors.Is(err, sign.ErrUntrusted) {
			t.Errorf("%s: %+v, %v", kind, r, err)
		}
	}
}

func TestAnUnsignedFileIsNoErrorUntilASignerIsNamed(t *testing.T) {
	m := setup(t, false)
	for kind, b := range map[string][]byte{"deb": packed(t, "deb", nil), "rpm": packed(t, "rpm", nil), "exe": exe(), "msi": msiFile(t),
		"pkg": pkgFile(t, nil), "tar.gz": []byte("something")} {
		path := file(t, "a."+kind, b)
		if r, err := pack.Verify(path, sign.Trusted{Now: now}); err != nil || r.Trust != sign.Unsigned {
			t.Errorf("%s: %+v, %v", kind, r, err)
		}
		if _, err := pack.Verify(path, trusting(t, m.key, m.authority.Root())); !errors.Is(err, sign.ErrUnsigned) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// One byte changed anywhere that counts is noticed, with and without keys named.
func TestChangedBytesAreNoticed(t *testing.T) {
	m := setup(t, true)
	for _, kind := range kinds {
		path := m.file(t, kind)
		whole := read(t, path)
		trusted := trusting(t, m.key, m.authority.Root())
		for _, at := range signedOffsets(t, kind, whole) {
			b := bytes.Clone(whole)
			b[at] ^= 0x40
			if err := os.WriteFile(path, b, 0o644); err != nil {
				t.Fatal(err)
			}
			if r, err := pack.Verify(path, trusted); err == nil {
				t.Errorf("%s: byte %d of %d: %+v", kind, at, len(whole), r)
			}
		}
		for _, length := range []int{0, 3, 7, 100, len(whole) / 2, len(whole) - 1} {
			if err := os.WriteFile(path, whole[:length], 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := pack.Verify(path, trusted); err == nil {
				t.Errorf("%s: cut to %d of %d bytes: no error", kind, length, len(whole))
			}
		}
	}
}

// signedOffsets are offsets of bytes that a signature covers.
func signedOffsets(t *testing.T, kind string, b []byte) []int {
	t.Helper()
	find := func(s string) int {
		i := bytes.Index(b, []byte(s))
		if i < 0 {
			t.Fatalf("%s: no %q", kind, s)
		}
		return i
	}
	switch kind {
	case "deb":
		return []int{find("2.0\n"), find("control.tar") + 80, find("data.tar") + 100, find("_gpgorigin") + 60 + 200}
	case "rpm":
		return []int{len(b) - 1, len(b) - 200, find("/usr/share/small")}
	case "exe":
		return []int{0x80 + 8, 512, 700}
	case "msi":
		return []int{find("0123456789"), find("short"), find("another")}
	}
	return []int{30, len(b) - 1, len(b) - 20000}
}

func TestTimestampsOutliveCertificates(t *testing.T) {
	n := testca.New(t, now)
	chain, key := n.RSA("Brief", testca.CodeSigning, testca.Valid(now.Add(-time.Hour), now.Add(time.Hour)))
	for _, stamped := range []bool{true, false} {
		o := sign.Options{Cert: chain, Key: key}
		if stamped {
			o.TimestampURL = n.Serve(at(now)).URL
		}
		m := made{authority: n, signer: open(t, o)}
		for _, kind := range []string{"exe", "msi"} {
			trusted := trusting(t, nil, n.Root())
			trusted.Now = now.Add(24 * time.Hour)
			r, err := pack.Verify(m.file(t, kind), trusted)
			if stamped && (err != nil || r.Trust != sign.ByCA) || !stamped && !errors.Is(err, sign.ErrExpired) {
				t.Errorf("%s, timestamp %v: %+v, %v", kind, stamped, r, err)
			}
		}
	}
}

func TestATimestampServerThatFailsIsAnError(t *testing.T) {
	m := setup(t, true)
	m.stamps.Mislead.Store(true)
	if err := m.signer.Authenticode(context.Background(), file(t, "a.exe", exe())); !errors.Is(err, sign.ErrTimestamp) {
		t.Errorf("a stamp of something else: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := m.signer.Authenticode(ctx, file(t, "a.exe", exe())); !errors.Is(err, sign.ErrTimestamp) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestSigningAgainReplacesTheSignature(t *testing.T) {
	m := setup(t, false)
	for _, kind := range []string{"exe", "msi"} {
		path := m.file(t, kind)
		first := read(t, path)
		if err := m.signer.Authenticode(context.Background(), path); err != nil {
			t.Fatal(err)
		}
		if r, err := pack.Verify(path, trusting(t, nil, m.authority.Root())); err != nil || len(r.Signatures) != 1 {
			t.Errorf("%s: %+v, %v", kind, r, err)
		}
		if kind == "exe" && !bytes.Equal(read(t, path), first) {
			t.Errorf("%s: signed twice with the same key, the bytes differ", kind)
		}
	}
}

// Same bytes, same key, no timestamp: same signed file.
func TestSignedFilesAreReproducible(t *testing.T) {
	m := setup(t, false)
	for _, kind := range kinds {
		if one, two := read(t, m.file(t, kind)), read(t, m.file(t, kind)); !bytes.Equal(one, two) {
			t.Errorf("%s differs", kind)
		}
	}
}

func TestASignedListVouchesForItsFiles(t *testing.T) {
	m := setup(t, false)
	dir := t.TempDir()
	writeFile := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	writeFile("one", "1")
	list := writeFile("SHA256SUMS", sum([]byte("1"))+"  one\n"+sum([]byte("2"))+"  two\n")
	sig, err := m.signer.Detach(bytes.NewReader(read(t, list)))
	if err != nil {
		t.Fatal(err)
	}
	trusted := trusting(t, m.key, nil)
	if _, err := pack.Verify(list, trusted); !errors.Is(err, sign.ErrUnsigned) {
		t.Errorf("no signature yet: %v", err)
	}
	writeFile("SHA256SUMS.sig", string(sig))
	r, err := pack.Verify(list, trusted)
	if err != nil || r.Trust != sign.ByKey || r.Note != "1 files have the SHA-256 listed, 1 are not here" {
		t.Errorf("%+v, %v", r, err)
	}
	writeFile("two", "3")
	if _, err := pack.Verify(list, trusted); !errors.Is(err, sign.ErrBad) {
		t.Errorf("a changed file: %v", err)
	}
	writeFile("SHA256SUMS", "../../etc/passwd\n")
	if _, err := pack.Verify(list, sign.Trusted{Now: now}); !errors.Is(err, sign.ErrBad) {
		t.Errorf("a list with paths: %v", err)
	}
	if _, err := pack.Verify(writeFile("lonely.sig", string(sig)), trusted); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a signature without its file: %v", err)
	}
	writeFile("junk", "x")
	if _, err := pack.Verify(writeFile("junk.sig", "hello"), trusted); !errors.Is(err, sign.ErrBad) {
		t.Errorf("a .sig that is none: %v", err)
	}
}

// A key that has expired since is as good as gpg holds it to be: what it signed before stays signed.
func TestOldSignaturesOfExpiredKeysStayValid(t *testing.T) {
	private, public := pgpKey(t, packet.Config{RSABits: 2048, KeyLifetimeSecs: 40 * 24 * 3600}, "")
	sig, err := open(t, sign.Options{PGPKey: private}).Detach(strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	path := file(t, "x", []byte("x"))
	if err := os.WriteFile(path+".sig", sig, 0o644); err != nil {
		t.Fatal(err)
	}
	trusted := trusting(t, public, nil)
	trusted.Now = now.Add(365 * 24 * time.Hour)
	if r, err := pack.Verify(path, trusted); err != nil || r.Signatures[0].Note != "the key has expired since" {
		t.Errorf("%+v, %v", r, err)
	}
}

// Another reader of flat packages agrees. (It calls every package notarised that has bytes behind its last file; it is not asked.)
func TestAnotherReaderAgreesAboutPackages(t *testing.T) {
	m := setup(t, true)
	b := read(t, m.file(t, "pkg"))
	a, err := relic.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	s, err := a.Verify(false)
	if err != nil || s.Signature.Certificate.Subject.CommonName != "Example Corp" || s.Signature.CounterSignature == nil ||
		len(s.NotaryTicket) != 0 {
		t.Errorf("%+v, %v", s, err)
	}
}
