package pack_test

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"

	"github.com/ssm-setup/ssm-setup/installer/container/msi"
	"github.com/ssm-setup/ssm-setup/installer/container/xar"
	"github.com/ssm-setup/ssm-setup/installer/pack"
)

// marks signs in a way that a test can see: a word behind a file, a word as signature.
var marks = pack.Signing{
	OpenPGP: func(r io.Reader) ([]byte, error) { _, err := io.Copy(io.Discard, r); return []byte("OpenPGP"), err },
	Authenticode: func(path string) error {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			return err
		}
		_, err = f.WriteString("Authenticode")
		return errors.Join(err, f.Close())
	},
	Xar: func() ([]xar.Signature, error) {
		return []xar.Signature{{Element: "x-signature", Style: "CMS", Size: 10, Sign: func([]byte, crypto.Hash) ([]byte,
			error) {
			return []byte("Xar"), nil
		}}}, nil
	},
}

func TestFormatsAreSigned(t *testing.T) {
	for name, p := range map[string]pack.Platform{"deb": amd64, "rpm": amd64, "msi": {OS: "windows", Arch: "amd64"},
		"pkg": {OS: "darwin", Arch: "arm64"}} {
		in, dir := input(t, p), t.TempDir()
		in.Signing = marks
		a, err := pack.Make(format(t, name), in, dir)
		if err != nil {
			t.Fatal(name, err)
		}
		path := filepath.Join(dir, a.File)
		b, err := os.ReadFile(path)
		if err != nil || int64(len(b)) != a.Size || a.SHA256 != fmt.Sprintf("%x", sha256.Sum256(b)) {
			t.Errorf("%s: %d bytes, %+v, %v", name, len(b), a, err)
		}
		want := map[string]string{"deb": "_gpgorigin", "rpm": "OpenPGP", "msi": "Authenticode", "pkg": "Xar"}[name]
		if !bytes.Contains(b, []byte(want)) {
			t.Errorf("%s is not signed", name)
		}
		sig, err := os.ReadFile(path + pack.SignatureSuffix)
		if string(sig) != "OpenPGP" {
			t.Errorf("%s.sig: %q, %v", a.File, sig, err)
		}
		in.Signing = pack.Signing{Authenticode: func(string) error { return io.ErrClosedPipe }}
		if name == "msi" {
			if _, err := pack.Make(format(t, name), in, dir); !errors.Is(err, io.ErrClosedPipe) {
				t.Errorf("a signature that fails: %v", err)
			}
		}
		in.Signing = pack.Signing{}
		if _, err := pack.Make(format(t, name), in, dir); err != nil {
			t.Fatal(err)
		}
		if left, _ := os.ReadDir(dir); len(left) != 1 {
			t.Errorf("%s, built again without keys: %v", name, left)
		}
	}
}

func TestTheRootOfTrustLiesInPackages(t *testing.T) {
	in := input(t, pack.Platform{OS: "windows", Arch: "amd64"})
	in.Trust = []byte(`{"signed":{}}`)
	b := make1(t, "msi", in)
	db, err := msi.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	folder := db.Table("Directory").Rows
	if !slices.ContainsFunc(folder, func(r []any) bool { return r[0] == "TrustFolder" && r[2] == "trust" }) {
		t.Errorf("msi: %v", folder)
	}
	if !slices.ContainsFunc(db.Table("Component").Rows, func(r []any) bool { return r[0] == "trust_root.json" && r[2] == "TrustFolder" }) {
		t.Errorf("msi: %v", db.Table("Component").Rows)
	}
	in = input(t, macApple)
	in.Trust = []byte(`{"signed":{}}`)
	if u := unpackPkg(t, make1(t, "pkg", in)); u.content["./opt/aws/ssm/trust/root.json"] != string(in.Trust) {
		t.Errorf("pkg: %v", u.lines)
	}
	in = input(t, amd64)
	in.Trust = []byte(`{"signed":{}}`)
	_, parts := members(t, make1(t, "deb", in))
	z, err := xz.NewReader(bytes.NewReader(parts["data.tar.xz"]))
	if err != nil {
		t.Fatal(err)
	}
	_, content := listing(t, z)
	if content["./etc/amazon/ssm/trust/root.json"] != string(in.Trust) {
		t.Errorf("deb: %v", content)
	}
	for _, name := range []string{"tar", "rpm", "deb"} {
		plain := in
		plain.Trust = nil
		if bytes.Equal(make1(t, name, in), make1(t, name, plain)) || strings.Contains(string(make1(t, name, plain)), "root.json") {
			t.Errorf("%s: with and without a root of trust alike", name)
		}
	}
}
