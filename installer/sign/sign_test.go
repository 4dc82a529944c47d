package sign_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/sign"
	"github.com/ssm-setup/ssm-setup/installer/sign/testca"
)

var (
	now   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	epoch = now.Add(-time.Hour)
	born  = now.Add(-30 * 24 * time.Hour) // of OpenPGP keys
)

// TestMain lets this program be the signing command: it signs with the PEM key named by its first argument.
func TestMain(m *testing.M) {
	if len(os.Args) == 6 && os.Args[1] == "sign-with" {
		if err := signWith(os.Args[2], os.Args[4], os.Args[5]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func signWith(file, algorithm, sum string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return errors.New("no such slot in the token")
	}
	block, _ := pem.Decode(b)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return err
	}
	raw, _ := hex.DecodeString(sum)
	if in, _ := io.ReadAll(os.Stdin); !bytes.Equal(in, raw) {
		return errors.New("the digest on standard input is another one")
	}
	var sig []byte
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if algorithm != "rsa-sha256" {
			return errors.New("wrong algorithm")
		}
		sig, err = rsa.SignPKCS1v15(nil, k, 5 /* SHA256 */, raw)
	case *ecdsa.PrivateKey:
		sig, err = ecdsa.SignASN1(rand.Reader, k, raw)
	}
	fmt.Println(base64.StdEncoding.EncodeToString(sig))
	return err
}

// pgpKey makes an OpenPGP key and returns its private and its public part, armored.
func pgpKey(t testing.TB, c packet.Config, passphrase string) (private, public []byte) {
	t.Helper()
	if c.Time == nil {
		c.Time = func() time.Time { return born }
	}
	e, err := openpgp.NewEntity("Tests", "", "tests@example.com", &c)
	if err != nil {
		t.Fatal(err)
	}
	if passphrase != "" {
		if err := e.EncryptPrivateKeys([]byte(passphrase), &c); err != nil {
			t.Fatal(err)
		}
	}
	return armored(t, openpgp.PrivateKeyType, func(w io.Writer) error { return e.SerializePrivateWithoutSigning(w, nil) }),
		armored(t, openpgp.PublicKeyType, e.Serialize)
}

func armored(t testing.TB, kind string, write func(io.Writer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := armor.Encode(&b, kind, nil)
	if err == nil {
		err = errors.Join(write(w), w.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func open(t testing.TB, o sign.Options) *sign.Signer {
	t.Helper()
	s, err := tryOpen(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func tryOpen(o sign.Options) (*sign.Signer, error) {
	o.Time, o.Now = epoch, now
	return sign.Open(o)
}

// file writes a file into a folder of its own.
func file(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// trusting makes a Trusted from an OpenPGP key and a certificate; either may be nil.
func trusting(t testing.TB, key, root []byte) sign.Trusted {
	t.Helper()
	trusted := sign.Trusted{Now: now}
	if key != nil {
		if err := trusted.ReadKeys(key); err != nil {
			t.Fatal(err)
		}
	}
	if root != nil {
		if err := trusted.ReadRoots(root); err != nil {
			t.Fatal(err)
		}
	}
	return trusted
}

func TestOpenPGPSignaturesAreTheSameEachTime(t *testing.T) {
	for name, c := range map[string]packet.Config{
		"RSA": {RSABits: 2048}, "EdDSA": {Algorithm: packet.PubKeyAlgoEdDSA, Curve: packet.Curve25519},
	} {
		private, public := pgpKey(t, c, "")
		s := open(t, sign.Options{PGPKey: private})
		var all [][]byte
		for range 2 {
			sig, err := s.Detach(strings.NewReader("bytes"))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, sig)
		}
		if !bytes.Equal(all[0], all[1]) {
			t.Errorf("%s: two signatures of the same bytes differ", name)
		}
		path := file(t, "some.deb.sig", all[0])
		if err := os.WriteFile(strings.TrimSuffix(path, ".sig"), []byte("bytes"), 0o644); err != nil {
			t.Fatal(err)
		}
		r, err := pack.Verify(path, trusting(t, public, nil))
		if err != nil || r.Trust != sign.ByKey || r.Signatures[0].By != "Tests <tests@example.com>" || !r.Signatures[0].Made.Equal(epoch) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

// A build's time before the key's own would give a signature that no program accepts.
func TestNoSignatureIsOlderThanItsKey(t *testing.T) {
	private, public := pgpKey(t, packet.Config{RSABits: 2048, Time: func() time.Time { return now.Add(-time.Minute) }}, "")
	sig, err := open(t, sign.Options{PGPKey: private}).Detach(strings.NewReader("bytes"))
	if err != nil {
		t.Fatal(err)
	}
	path := file(t, "x", []byte("bytes"))
	if err := os.WriteFile(path+".sig", sig, 0o644); err != nil {
		t.Fatal(err)
	}
	if r, err := pack.Verify(path, trusting(t, public, nil)); err != nil || !r.Signatures[0].Made.Equal(now.Add(-time.Minute)) {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestKeysThatDoNotFitAreRefused(t *testing.T) {
	n := testca.New(t, now)
	chain, key := n.ECDSA("Signer", testca.CodeSigning)
	_, other := n.ECDSA("Other", testca.CodeSigning)
	old, oldKey := n.ECDSA("Old", testca.CodeSigning, testca.Valid(now.Add(-48*time.Hour), now.Add(-time.Hour)))
	young, youngKey := n.ECDSA("Young", testca.CodeSigning, testca.Valid(now.Add(time.Hour), now.Add(48*time.Hour)))
	web, webKey := n.ECDSA("Server", testca.ServerAuth)
	private, public := pgpKey(t, packet.Config{RSABits: 2048}, "")
	locked, _ := pgpKey(t, packet.Config{RSABits: 2048}, "correct horse")
	expired, _ := pgpKey(t, packet.Config{RSABits: 2048, KeyLifetimeSecs: 3600}, "")
	for name, c := range map[string]struct {
		options sign.Options
		want    error
	}{
		"no key at all":               {sign.Options{PGPKey: []byte("hello")}, sign.ErrKey},
		"damaged key":                 {sign.Options{PGPKey: private[:len(private)/2]}, sign.ErrKey},
		"two keys":                    {sign.Options{PGPKey: unarmor(t, private, locked)}, sign.ErrKey},
		"public key without command":  {sign.Options{PGPKey: public}, sign.ErrKey},
		"locked, no passphrase":       {sign.Options{PGPKey: locked}, sign.ErrPassphrase},
		"locked, wrong passphrase":    {sign.Options{PGPKey: locked, Passphrase: "battery"}, sign.ErrPassphrase},
		"locked, right passphrase":    {sign.Options{PGPKey: locked, Passphrase: "correct horse"}, nil},
		"its own passphrase":          {sign.Options{PGPKey: locked, Passphrase: "no", PGPPassphrase: "correct horse"}, nil},
		"expired OpenPGP key":         {sign.Options{PGPKey: expired}, sign.ErrExpired},
		"certificate and key":         {sign.Options{Cert: chain, Key: key}, nil},
		"key in another's place":      {sign.Options{Cert: chain, Key: other}, sign.ErrKey},
		"key without certificate":     {sign.Options{Key: key}, sign.ErrKey},
		"certificate without key":     {sign.Options{Cert: chain}, sign.ErrKey},
		"a key as certificate":        {sign.Options{Cert: key, Key: key}, sign.ErrKey},
		"a certificate as key":        {sign.Options{Cert: chain, Key: chain}, sign.ErrKey},
		"not a certificate":           {sign.Options{Cert: []byte{0x30, 0x82}, Key: key}, sign.ErrKey},
		"expired certificate":         {sign.Options{Cert: old, Key: oldKey}, sign.ErrExpired},
		"certificate not yet valid":   {sign.Options{Cert: young, Key: youngKey}, sign.ErrExpired},
		"certificate of a web server": {sign.Options{Cert: web, Key: webKey}, sign.ErrKey},
	} {
		if _, err := tryOpen(c.options); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, expected %v", name, err, c.want)
		} else if err != nil && strings.Contains(err.Error(), "battery") {
			t.Errorf("%s: the message holds a passphrase: %v", name, err)
		}
	}
}

func unarmor(t testing.TB, all ...[]byte) (out []byte) {
	t.Helper()
	for _, a := range all {
		block, err := armor.Decode(bytes.NewReader(a))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(block.Body)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b...)
	}
	return out
}

func TestACommandSigns(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	n := testca.New(t, now)
	for name, issue := range map[string]func(string, ...testca.Change) ([]byte, []byte){"RSA": n.RSA, "ECDSA": n.ECDSA} {
		chain, key := issue("Token", testca.CodeSigning)
		block, _ := pem.Decode(key)
		k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		command := sign.Command{self, "sign-with", file(t, "token.pem", key)}
		// The same key behind an OpenPGP identity: what an HSM would give out.
		_, public := pgpKey(t, packet.Config{RSABits: 2048}, "")
		if r, ok := k.(*rsa.PrivateKey); ok {
			public = publicOf(t, r)
		}
		s := open(t, sign.Options{Cert: chain, Command: command})
		path := file(t, "a.exe", exe())
		if err := s.Authenticode(context.Background(), path); err != nil {
			t.Fatal(name, err)
		}
		if r, err := pack.Verify(path, trusting(t, nil, n.Root())); err != nil || r.Trust != sign.ByCA || r.Signatures[0].By != "Token" {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
		if name == "RSA" {
			s := open(t, sign.Options{PGPKey: public, Command: command})
			sig, err := s.Detach(strings.NewReader("bytes"))
			if err != nil {
				t.Fatal(err)
			}
			path := file(t, "x", []byte("bytes"))
			if err := os.WriteFile(path+".sig", sig, 0o644); err != nil {
				t.Fatal(err)
			}
			if r, err := pack.Verify(path, trusting(t, public, nil)); err != nil || r.Trust != sign.ByKey {
				t.Errorf("%+v, %v", r, err)
			}
		}
		for why, bad := range map[string]sign.Command{
			"another key":  {self, "sign-with", file(t, "other.pem", second(issue("Other")))},
			"no slot":      {self, "sign-with", filepath.Join(t.TempDir(), "none")},
			"no program":   {filepath.Join(t.TempDir(), "none"), "x"},
			"prints prose": {self, "-test.run=^$"},
		} {
			s := open(t, sign.Options{PGPKey: public, Cert: chain, Command: bad})
			err := s.Authenticode(context.Background(), file(t, "a.exe", exe()))
			if !errors.Is(err, sign.ErrCommand) || why == "no slot" && !strings.Contains(err.Error(), "no such slot") {
				t.Errorf("%s, %s: %v", name, why, err)
			}
			if _, err := s.Detach(strings.NewReader("x")); !errors.Is(err, sign.ErrCommand) {
				t.Errorf("%s, %s, OpenPGP: %v", name, why, err)
			}
		}
	}
	edwards, _ := pgpKey(t, packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, Curve: packet.Curve25519}, "")
	if _, err := tryOpen(sign.Options{PGPKey: onlyPublic(t, edwards), Command: sign.Command{self}}); !errors.Is(err, sign.ErrKey) {
		t.Errorf("a command for an Ed25519 key: %v", err)
	}
}

func second(_, b []byte) []byte { return b }

// publicOf is an OpenPGP key around an RSA key, its public part.
func publicOf(t testing.TB, k *rsa.PrivateKey) []byte {
	t.Helper()
	c := &packet.Config{Time: func() time.Time { return born }}
	e, err := openpgp.NewEntity("Token", "", "token@example.com", &packet.Config{Time: c.Time, RSABits: 2048})
	if err != nil {
		t.Fatal(err)
	}
	e.PrimaryKey, e.PrivateKey, e.Subkeys = packet.NewRSAPublicKey(born, &k.PublicKey), packet.NewRSAPrivateKey(born, k), nil
	for _, id := range e.Identities {
		id.SelfSignature.IssuerKeyId = &e.PrimaryKey.KeyId
		if err := id.SelfSignature.SignUserId(id.Name, e.PrimaryKey, e.PrivateKey, c); err != nil {
			t.Fatal(err)
		}
		id.Signatures = []*packet.Signature{id.SelfSignature}
	}
	return armored(t, openpgp.PublicKeyType, e.Serialize)
}

func onlyPublic(t testing.TB, private []byte) []byte {
	t.Helper()
	ring, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(private))
	if err != nil {
		t.Fatal(err)
	}
	return armored(t, openpgp.PublicKeyType, ring[0].Serialize)
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// While one key takes the place of another, texts have a signature by each, and who trusts either can check them.
func TestTwoKeysSignTextsWhileOneReplacesTheOther(t *testing.T) {
	old, oldPublic := pgpKey(t, packet.Config{RSABits: 2048}, "")
	next, nextPublic := pgpKey(t, packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, Curve: packet.Curve25519}, "next words")
	both := open(t, sign.Options{PGPKey: old, PGPNext: next, PGPNextPassphrase: "next words"})
	text := []byte("Suite: stable\n")
	detached, err := both.Armored(text)
	if err != nil {
		t.Fatal(err)
	}
	clear, err := both.Clear(text)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := clearsign.Decode(clear)
	inside, err := io.ReadAll(block.ArmoredSignature.Body)
	if err != nil {
		t.Fatal(err)
	}
	for name, public := range map[string][]byte{"old": oldPublic, "next": nextPublic} {
		ring, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(public))
		if err != nil {
			t.Fatal(err)
		}
		config := &packet.Config{Time: at(now)}
		if _, err := openpgp.CheckArmoredDetachedSignature(ring, bytes.NewReader(text), bytes.NewReader(detached), config); err != nil {
			t.Errorf("%s: detached: %v", name, err)
		}
		if _, err := openpgp.CheckDetachedSignature(ring, bytes.NewReader(block.Bytes), bytes.NewReader(inside), config); err != nil {
			t.Errorf("%s: clear: %v", name, err)
		}
		if !both.Knows(public) {
			t.Errorf("%s is not known", name)
		}
	}
	file, err := both.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	if !sign.SharesKey(file, oldPublic) || !sign.SharesKey(nextPublic, file) || sign.SharesKey(oldPublic, nextPublic) ||
		sign.SharesKey(oldPublic, nil) {
		t.Error("SharesKey is mistaken")
	}
	if ring, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(file)); err != nil || len(ring) != 2 {
		t.Errorf("the key file holds %d keys, %v", len(ring), err)
	}
	only, other := open(t, sign.Options{PGPKey: old}), open(t, sign.Options{PGPKey: next, PGPPassphrase: "next words"})
	if !only.Knows(file) || !other.Knows(file) || only.Knows(nextPublic) || only.Knows([]byte("no key")) {
		t.Error("Knows is mistaken")
	}
	if w := both.Warnings(); len(w) != 1 || !strings.Contains(w[0], "Amazon Linux 2,") || !strings.Contains(w[0], "Ubuntu 16.04") ||
		len(only.Warnings()) > 0 {
		t.Errorf("%q, %q", w, only.Warnings())
	}
	if sig, err := both.Detach(bytes.NewReader(text)); err != nil || len(sig) > 600 {
		t.Errorf("packages have one signature: %d bytes, %v", len(sig), err)
	}
}
