//go:build integration && unix

package setupcli

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/regions/local"
)

// With the real gpg: the signature that a region serves, by the right key, by another one, over other bytes, by a key that
// has expired since, by a key that its owner revoked.
func TestGPGJudgesTheSignatureThatARegionServes(t *testing.T) {
	r := local.Start(t)
	client := bucket.New(bucket.Options{Base: r.URL() + "/amazon-ssm-local", Retries: -1})
	dir := t.TempDir()
	pkg := filepath.Join(dir, "amazon-ssm-agent.rpm")
	must(t, os.WriteFile(pkg, []byte("a package"), 0o600))
	now := func() time.Time { return time.Now().Add(-48 * time.Hour) }
	owner := func(life time.Duration) (*openpgp.Entity, string) {
		t.Helper()
		e, err := openpgp.NewEntity("SSM Agent", "", "signer@example.com", &packet.Config{RSABits: 2048, Time: now,
			KeyLifetimeSecs: uint32(life / time.Second)})
		must(t, err)
		path := filepath.Join(t.TempDir(), "key.asc")
		must(t, os.WriteFile(path, text(t, openpgp.PublicKeyType, e.Serialize), 0o600))
		return e, path
	}
	signed := func(e *openpgp.Entity, data string) {
		t.Helper()
		var b bytes.Buffer
		must(t, openpgp.DetachSign(&b, e, strings.NewReader(data), &packet.Config{Time: now}))
		must(t, r.Put("9.1.0.0/"+manifests.Folder("linux", runtime.GOARCH)+"/amazon-ssm-agent.rpm.sig", b.Bytes()))
	}
	ours, key := owner(0)
	other, _ := owner(0)
	old, oldKey := owner(time.Hour)
	leaked, _ := owner(0)
	for _, c := range []struct {
		name string
		by   *openpgp.Entity
		data string
		key  string
		fine bool
	}{
		{"good", ours, "a package", key, true},
		{"another key", other, "a package", key, false},
		{"other bytes", ours, "another package", key, false},
		{"expired since", old, "a package", oldKey, true},
		{"no key in the file", ours, "a package", pkg, false},
		{"revoked", leaked, "a package", revoked(t, leaked), false},
	} {
		signed(c.by, c.data)
		var out bytes.Buffer
		s := &run{ctx: t.Context(), log: &levels{to: []io.Writer{&out}}, parameters: parameters{PublicKey: c.key}}
		err := s.checkSignature(client, packageFormat(t, "rpm"), pkg, manifests.MustVersion("9.1.0.0"))
		if (err == nil) != c.fine || err != nil && !errors.Is(err, errSignature) || c.fine != strings.Contains(out.String(),
			"signature of amazon-ssm-agent.rpm is good") {
			t.Errorf("%s: %v\n%s", c.name, err, &out)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "signature-*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// revoked is a file with the public half of a key that its owner takes back; the key itself stays as it is.
func revoked(t *testing.T, e *openpgp.Entity) string {
	t.Helper()
	var private bytes.Buffer
	must(t, e.SerializePrivateWithoutSigning(&private, nil))
	ring, err := openpgp.ReadKeyRing(&private)
	must(t, err)
	must(t, ring[0].RevokeKey(packet.KeyCompromised, "leaked", nil))
	path := filepath.Join(t.TempDir(), "revoked.asc")
	must(t, os.WriteFile(path, text(t, openpgp.PublicKeyType, ring[0].Serialize), 0o600))
	return path
}

func text(t *testing.T, kind string, write func(io.Writer) error) []byte {
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
