package main

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/keyring"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/anchor"
)

// A file of keys for --trust goes into every package as it is: no key in it may be private, the first or another, nor a subkey.
func TestTrustTakesNoPrivateKey(t *testing.T) {
	config := &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, Curve: packet.Curve25519}
	var public, second, subkey bytes.Buffer
	for n, to := range []*bytes.Buffer{&public, &second} {
		e, err := openpgp.NewEntity("Tests", "", "tests@example.com", config)
		must(t, err)
		must(t, e.Serialize(to))
		if n == 1 {
			to.Write(public.Bytes())
			must(t, e.SerializePrivateWithoutSigning(to, nil))
		}
	}
	e, err := openpgp.NewEntity("Tests", "", "tests@example.com", config)
	must(t, err)
	must(t, e.PrimaryKey.Serialize(&subkey))
	for _, id := range e.Identities {
		must(t, errors.Join(id.UserId.Serialize(&subkey), id.SelfSignature.Serialize(&subkey)))
	}
	must(t, errors.Join(e.Subkeys[0].PrivateKey.Serialize(&subkey), e.Subkeys[0].Sig.Serialize(&subkey)))
	dir := t.TempDir()
	for name, text := range map[string]*bytes.Buffer{"second": &second, "subkey": &subkey} {
		path := dir + "/" + name
		must(t, os.WriteFile(path, text.Bytes(), 0o600))
		if _, _, err := keyring.Trusts([]string{path}); err == nil || !strings.Contains(err.Error(), "holds a private key") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// build --trust takes a root and a key, one of each, and no private one.
func TestTrustTakesOneRootAndOneKey(t *testing.T) {
	k := newKeys(t)
	root, key, err := keyring.Trusts([]string{k.file("public.asc"), k.file("root.json")})
	if err != nil || !bytes.Contains(root, []byte(`"_type":"root"`)) || !bytes.HasPrefix(key, []byte("-----BEGIN PGP PUBLIC KEY BLOCK-----")) {
		t.Errorf("%s, %.20s, %v", root, key, err)
	}
	for wrong, paths := range map[string][]string{
		"neither JSON nor an OpenPGP public key": {k.file("junk")},
		"holds a private key":                    {k.file("private.asc")},
		"the second of its kind":                 {k.file("public.asc"), k.file("public.asc")},
		"missing":                                {k.file("missing")},
	} {
		if _, _, err := keyring.Trusts(paths); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%v: %v", paths, err)
		}
	}
}

// rootOfTrust is a root whose roles have one key.
func rootOfTrust(t *testing.T) []byte {
	t.Helper()
	root := metadata.Root(time.Now().AddDate(1, 0, 0))
	public, private, err := ed25519.GenerateKey(nil)
	must(t, err)
	key, err := metadata.KeyFromPublicKey(public)
	must(t, err)
	for _, role := range []string{"root", "timestamp", "snapshot", "targets"} {
		must(t, root.Signed.AddKey(key, role))
	}
	signer, err := signature.LoadSigner(private, crypto.Hash(0))
	must(t, err)
	_, err = root.Sign(signer)
	must(t, err)
	b, err := root.ToBytes(false)
	must(t, err)
	return b
}

func TestARootThatSignsNothingIsNotBakedIn(t *testing.T) {
	junk := filepath.Join(t.TempDir(), "root.json")
	must(t, os.WriteFile(junk, []byte(`{"signed": {}}`), 0o600))
	s := packThree(t, threePrograms(t), t.TempDir(), "--trust", junk)
	if s.code != exitUsage || !strings.Contains(s.err, "not a root of trust") {
		t.Errorf("%+v", s)
	}
}

func TestTrustIsShownAndGivenUpOnlyByCommand(t *testing.T) {
	host, file := t.TempDir(), filepath.Join(t.TempDir(), "root.json")
	root := rootOfTrust(t)
	must(t, os.WriteFile(file, root, 0o600))
	if s := ssmSetup("trust", "--root", host); s.code != 0 || !strings.Contains(s.out, "has no root of trust") {
		t.Errorf("none: %+v", s)
	}
	_, err := anchor.Pin(installer.At(host), root)
	must(t, err)
	var shown struct {
		Trusted bool
		Root    int64
		SHA256  string
	}
	if s := ssmSetup("trust", "--root", host, "--json"); json.Unmarshal([]byte(s.out), &shown) != nil || !shown.Trusted || shown.Root != 1 {
		t.Errorf("pinned: %+v", s)
	}
	if s := ssmSetup("trust", "clear", "--root", host, "--dry-run"); s.code != 0 || !strings.Contains(s.out, "give up the root of trust") {
		t.Errorf("rehearsed: %+v", s)
	}
	if _, ok, _ := anchor.Facts(installer.At(host)); !ok {
		t.Error("a rehearsal gave it up")
	}
	if s := ssmSetup("trust", "clear", "--root", host, "--yes"); s.code != 0 || !strings.Contains(s.out, "has no root of trust any more") {
		t.Errorf("cleared: %+v", s)
	}
	if _, ok, _ := anchor.Facts(installer.At(host)); ok {
		t.Error("it is still there")
	}
	if s := ssmSetup("trust", "away", "--root", host); s.code != exitUsage {
		t.Errorf("another word: %+v", s)
	}
}
