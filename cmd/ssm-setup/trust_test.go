package main

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/keyring"
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
	if err != nil || string(root) != `{"signed": {}}` || !bytes.HasPrefix(key, []byte("-----BEGIN PGP PUBLIC KEY BLOCK-----")) {
		t.Errorf("%s, %.20s, %v", root, key, err)
	}
	for wrong, paths := range map[string][]string{
		"no OpenPGP public key either": {k.file("junk")},
		"holds a private key":          {k.file("private.asc")},
		"the second of its kind":       {k.file("public.asc"), k.file("public.asc")},
		"missing":                      {k.file("missing")},
	} {
		if _, _, err := keyring.Trusts(paths); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%v: %v", paths, err)
		}
	}
}
