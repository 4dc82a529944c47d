package sign_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/ssm-setup/ssm-setup/installer/container/xar"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/sign"
	"github.com/ssm-setup/ssm-setup/installer/sign/testca"
)

// headerOnly is an rpm as old tools could sign one: a signature of the header alone. With digest the header carries the
// payload's, as packages do since rpm 4.14; without nothing at all is said about the payload.
func headerOnly(t *testing.T, m made, digest bool) (rpm []byte, payload int) {
	t.Helper()
	b := packed(t, "rpm", nil)
	const lead, intro = 96, 16
	length := func(at int) int {
		return intro + 16*int(binary.BigEndian.Uint32(b[at+8:])) + int(binary.BigEndian.Uint32(b[at+12:]))
	}
	head := lead + (length(lead)+7)/8*8
	end := head + length(head)
	header := bytes.Clone(b[head:end])
	for i := range int(binary.BigEndian.Uint32(header[8:])) {
		entry := header[intro+16*i:]
		if binary.BigEndian.Uint32(entry) == 5092 && !digest {
			binary.BigEndian.PutUint32(entry, 5999) // a tag that means nothing
		}
	}
	sig, err := m.signer.Detach(bytes.NewReader(header))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	out.Write(b[:lead])
	out.Write([]byte{0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0})
	for _, n := range []uint32{1, uint32(len(sig)), 268, 7, 0, uint32(len(sig))} {
		_ = binary.Write(&out, binary.BigEndian, n)
	}
	out.Write(sig)
	out.Write(make([]byte, (8-out.Len()%8)%8))
	out.Write(header)
	payload = out.Len()
	out.Write(b[end:])
	return out.Bytes(), payload
}

// A signature of the header is one of the package only if the header says what the payload is.
func TestASignedHeaderMustStateItsPayload(t *testing.T) {
	m := setup(t, false)
	trusted := trusting(t, m.key, nil)
	whole, at := headerOnly(t, m, true)
	path := file(t, "a.rpm", whole)
	if r, err := pack.Verify(path, trusted); err != nil || r.Trust != sign.ByKey || len(r.Signatures) != 1 {
		t.Errorf("with a digest of the payload: %+v, %v", r, err)
	}
	whole[at+20] ^= 1
	os.WriteFile(path, whole, 0o644)
	if r, err := pack.Verify(path, trusted); !errors.Is(err, sign.ErrBad) {
		t.Errorf("another payload: %+v, %v", r, err)
	}
	bare, at := headerOnly(t, m, false)
	for range 2 {
		os.WriteFile(path, bare, 0o644)
		if r, err := pack.Verify(path, trusted); !errors.Is(err, sign.ErrUnsigned) {
			t.Errorf("without a digest of the payload: %+v, %v", r, err)
		}
		if r, err := pack.Verify(path, sign.Trusted{Now: now}); err != nil || r.Note != "no signature covers the payload" {
			t.Errorf("without a key: %+v, %v", r, err)
		}
		bare = append(bare[:at:at], "something else"...)
	}
}

// twoKeys is an owner with a subkey for signing that lived for ten days, and another that lives on.
func twoKeys(t *testing.T) (e *openpgp.Entity, old openpgp.Subkey) {
	t.Helper()
	config := &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, Curve: packet.Curve25519, Time: at(born)}
	e, err := openpgp.NewEntity("Tests", "", "tests@example.com", config)
	if err != nil {
		t.Fatal(err)
	}
	brief := *config
	brief.KeyLifetimeSecs = 10 * 24 * 3600
	for _, c := range []*packet.Config{&brief, config} {
		if err := e.AddSigningSubkey(c); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range e.Subkeys {
		if s.Sig.FlagSign && s.Sig.KeyLifetimeSecs != nil && *s.Sig.KeyLifetimeSecs == brief.KeyLifetimeSecs {
			return e, s
		}
	}
	t.Fatal("there is no such subkey")
	return nil, old
}

// signedBy is a signature by one key at one time, whatever that key was good for then.
func signedBy(t *testing.T, k *packet.PrivateKey, when time.Time, text string, change func(*packet.Signature)) []byte {
	t.Helper()
	s := &packet.Signature{Version: k.Version, SigType: packet.SigTypeBinary, PubKeyAlgo: k.PubKeyAlgo, Hash: crypto.SHA256,
		CreationTime: when,
		IssuerKeyId:  &k.KeyId, IssuerFingerprint: k.Fingerprint}
	if change != nil {
		change(s)
	}
	h := crypto.SHA256.New()
	io.WriteString(h, text)
	var b bytes.Buffer
	if err := errors.Join(s.Sign(h, k, nil), s.Serialize(&b)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What a subkey signed while it was valid stays signed; what it signed later does not count, though its owner has another key.
func TestAnExpiredSubkeySignsNothingMore(t *testing.T) {
	e, old := twoKeys(t)
	var public bytes.Buffer
	if err := e.Serialize(&public); err != nil {
		t.Fatal(err)
	}
	trusted := trusting(t, public.Bytes(), nil)
	other, _ := twoKeys(t)
	path := file(t, "x", []byte("x"))
	for name, c := range map[string]struct {
		sig  []byte
		want error
		note string
	}{
		"in time":           {signedBy(t, old.PrivateKey, born.Add(5*24*time.Hour), "x", nil), nil, "the key has expired since"},
		"too late":          {signedBy(t, old.PrivateKey, born.Add(20*24*time.Hour), "x", nil), sign.ErrExpired, ""},
		"before it was":     {signedBy(t, old.PrivateKey, born.Add(-24*time.Hour), "x", nil), sign.ErrExpired, ""},
		"expired signature": {signedBy(t, old.PrivateKey, born.Add(24*time.Hour), "x", lives(3600)), sign.ErrExpired, ""},
		"behind another's": {append(signedBy(t, other.Subkeys[1].PrivateKey, born.Add(24*time.Hour), "x", nil),
			signedBy(t, old.PrivateKey, born.Add(20*24*time.Hour), "x", nil)...), sign.ErrExpired, ""},
	} {
		if err := os.WriteFile(path+".sig", c.sig, 0o644); err != nil {
			t.Fatal(err)
		}
		r, err := pack.Verify(path, trusted)
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) || r.Signatures[0].Note != c.note {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

func lives(seconds uint32) func(*packet.Signature) {
	return func(s *packet.Signature) { s.SigLifetimeSecs = &seconds }
}

// A certificate for web servers leads to the same roots as one for packages, and signs none.
func TestACertificateForWebServersSignsNoPackage(t *testing.T) {
	n := testca.New(t, now)
	chain, key := n.RSA("www.example.com", testca.ServerAuth)
	var der [][]byte
	for block, rest := pem.Decode(chain); block != nil; block, rest = pem.Decode(rest) {
		der = append(der, block.Bytes)
	}
	classic, err := xar.RSA(privateKey(t, key), der)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.pkg")
	if err := os.WriteFile(path, pkgFile(t, []xar.Signature{classic}), 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := pack.Verify(path, trusting(t, nil, n.Root()))
	if !errors.Is(err, sign.ErrUntrusted) || r.Trust != sign.Integrity || !strings.Contains(r.Signatures[0].Note, "not for signing packages") {
		t.Errorf("%+v, %v", r, err)
	}
}

// privateKey reads PKCS #8 in PEM.
func privateKey(t testing.TB, text []byte) crypto.Signer {
	t.Helper()
	block, _ := pem.Decode(text)
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return k.(crypto.Signer)
}

// A key with several names has the same public half each time, with all of them.
func TestPublicKeyIsTheSameEachTime(t *testing.T) {
	config := &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, Curve: packet.Curve25519, Time: at(born)}
	e, err := openpgp.NewEntity("Tests", "", "tests@example.com", config)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Second", "Third", "Fourth", "Fifth"} {
		if err := e.AddUserId(name, "", "", config); err != nil {
			t.Fatal(err)
		}
	}
	var private bytes.Buffer
	if err := e.SerializePrivateWithoutSigning(&private, nil); err != nil {
		t.Fatal(err)
	}
	var first []byte
	for n := range 20 {
		key, err := open(t, sign.Options{PGPKey: private.Bytes()}).PublicKey()
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			first = key
		}
		if !bytes.Equal(key, first) {
			t.Fatalf("it differs the %d. time", n+1)
		}
	}
	ring, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(first))
	if err != nil || len(ring) != 1 || len(ring[0].Identities) != 5 || len(ring[0].Subkeys) != len(e.Subkeys) || ring[0].PrivateKey != nil {
		t.Errorf("%+v, %v", ring, err)
	}
}

// What is called like a signature and is a folder, or far too big, is none; nothing of it is read.
func TestAFolderOrAHugeFileIsNoSignature(t *testing.T) {
	path := file(t, "x", []byte("x"))
	kinds := map[string]func(string) error{
		"folder": func(sig string) error { return os.Mkdir(sig, 0o755) },
		"huge": func(sig string) error {
			return errors.Join(os.WriteFile(sig, []byte("x"), 0o600), os.Truncate(sig, 1<<40))
		},
	}
	for name, how := range kinds {
		if err := how(path + ".sig"); err != nil {
			t.Fatal(err)
		}
		if r, err := pack.Verify(path, sign.Trusted{Now: now}); !errors.Is(err, sign.ErrBad) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
		os.Remove(path + ".sig")
	}
}
