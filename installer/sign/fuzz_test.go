package sign_test

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/sign"
	"github.com/ssm-setup/ssm-setup/installer/sign/testca"
)

// encryptedPEM is a key as openssl pkcs8 -topk8 -v2 aes-128-cbc -iter 1 makes it, under the passphrase x.
const encryptedPEM = `-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHrMFYGCSqGSIb3DQEFDTBJMCgGCSqGSIb3DQEFDDAbBAjOjjkS0/4xMgIBATAM
BggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBAgQQ50AGijOcq7I8kZpo4p0ingSBkA1Z
5Tyz6OqKLoYfCS9PS43kzVOl4eYCJ2JdTHb/GVPPh7pRgAR4CfXlRqatiCDjfXor
ZOUYW4ZcyNCAFTj1toS4bUXvLRJYRjsqO+VC5WG5WNOL/kBjyuHlHFxb32Mcgs4T
B9HcVHp2Czx///Lf3ZtujoiAvBPHuwqUF2wcZTFUG6rdAAqNsJh6TFFFjlnswg==
-----END ENCRYPTED PRIVATE KEY-----
`

func FuzzVerify(f *testing.F) {
	f.Add(exe())
	f.Add(msiFile(f))
	f.Add(pkgFile(f, nil))
	f.Add(packed(f, "deb", nil))
	f.Add(packed(f, "rpm", nil))
	m := setup(f, false)
	for _, kind := range kinds {
		f.Add(read(f, m.file(f, kind)))
	}
	trusted := trusting(f, m.key, m.authority.Root())
	f.Fuzz(func(t *testing.T, b []byte) {
		path := file(t, "x", b)
		_, _ = pack.Verify(path, trusted) // a seed, or one changed where no signature looks, may well be trusted
		if r, err := pack.Verify(path, sign.Trusted{Now: now}); err == nil && (r.Trust == sign.ByKey || r.Trust == sign.ByCA) {
			t.Errorf("%+v", r)
		}
	})
}

// Whatever lies beside a file as its signature, or stands in a list, is refused, unless it is what it must be.
func FuzzDetached(f *testing.F) {
	private, public := pgpKey(f, packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, Curve: packet.Curve25519}, "")
	good, err := open(f, sign.Options{PGPKey: private}).Detach(strings.NewReader("bytes"))
	if err != nil {
		f.Fatal(err)
	}
	private, _ = pgpKey(f, packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, Curve: packet.Curve25519}, "")
	strangers, err := open(f, sign.Options{PGPKey: private}).Detach(strings.NewReader("bytes"))
	if err != nil {
		f.Fatal(err)
	}
	for _, sig := range [][]byte{good, strangers, good[:20], []byte("-----BEGIN PGP SIGNATURE-----\n\nwsBz\n-----END PGP SIGNATURE-----")} {
		f.Add(sig, "bytes")
		f.Add(sig, "other bytes")
	}
	trusted := trusting(f, public, nil)
	f.Fuzz(func(t *testing.T, sig []byte, text string) {
		path := file(t, "x.sig", sig)
		if err := os.WriteFile(strings.TrimSuffix(path, ".sig"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if r, err := pack.Verify(path, trusted); err == nil && text != "bytes" {
			t.Errorf("%+v", r)
		}
	})
}

func FuzzList(f *testing.F) {
	f.Add([]byte(sum([]byte("1")) + "  one\n"))
	f.Add([]byte("00  ..\n"))
	f.Fuzz(func(t *testing.T, list []byte) {
		path := file(t, "SHA256SUMS", list)
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), "one"), []byte("1"), 0o644); err != nil {
			t.Fatal(err)
		}
		r, err := pack.Verify(path, sign.Trusted{Now: now})
		if err == nil && r.Trust != sign.Unsigned {
			t.Errorf("%+v", r)
		}
	})
}

// FuzzKeys: what a key or a certificate's file holds is read or refused.
func FuzzKeys(f *testing.F) {
	n := testca.New(f, now)
	chain, key := n.ECDSA("Signer", testca.CodeSigning)
	f.Add(chain, key)
	f.Add(chain, []byte(encryptedPEM))
	chain, key = n.RSA("Signer", testca.CodeSigning)
	f.Add(chain, key)
	f.Add(bytes.Join([][]byte{chain, key}, nil), []byte{})
	secret := privateKey(f, key).(*rsa.PrivateKey)
	f.Add(chain, x509.MarshalPKCS1PrivateKey(secret))
	block, _ := pem.Decode(chain)
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(leaf.Raw, key)
	f.Add([]byte{0x30, 3, 2, 1, 3}, []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----"))
	f.Fuzz(func(t *testing.T, chain, key []byte) {
		if len(chain) == 0 {
			return
		}
		_, err := tryOpen(sign.Options{Cert: chain, Key: key, Passphrase: "x"})
		if err != nil && !errors.Is(err, sign.ErrKey) && !errors.Is(err, sign.ErrPassphrase) && !errors.Is(err, sign.ErrExpired) {
			t.Error(err)
		}
	})
}
