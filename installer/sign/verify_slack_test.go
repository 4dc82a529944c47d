package sign_test

import (
	"bytes"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/sassoftware/relic/v7/lib/pkcs7"

	"github.com/ssm-setup/ssm-setup/installer/container/cfb"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/sign"
)

// withUnhashed puts subpackets into the part of an OpenPGP signature that its digest leaves out.
func withUnhashed(t *testing.T, sig []byte, area []byte) []byte {
	t.Helper()
	body := sig[2:]
	if sig[0] != 0xc2 || sig[1] >= 192 {
		if body = sig[3:]; sig[0] != 0xc2 || sig[1] >= 224 {
			t.Fatalf("a packet of another form: % x", sig[:3])
		}
	}
	at := 4 + 2 + int(binary.BigEndian.Uint16(body[4:]))
	n := int(binary.BigEndian.Uint16(body[at:]))
	whole := bytes.Clone(body[:at])
	whole = binary.BigEndian.AppendUint16(whole, uint16(n+len(area)))
	whole = append(append(append(whole, body[at+2:at+2+n]...), area...), body[at+2+n:]...)
	return append(binary.BigEndian.AppendUint32([]byte{0xc2, 0xff}, uint32(len(whole))), whole...)
}

// What lies in the part of an OpenPGP signature that its digest leaves out is reported, and refused beside a package of ours. The names
// of the key, which stand there in signatures by gpg, are no such thing.
func TestUnhashedPartsOfASignatureAreSeen(t *testing.T) {
	m := setup(t, false)
	hidden := append([]byte{0x0b, 100}, "0123456789"...)
	trusted := trusting(t, m.key, nil)
	for name, ours := range map[string]bool{"readme.txt": false, "a.msi": true} {
		content := []byte("text")
		if ours {
			content = msiFile(t)
		}
		path := file(t, name, content)
		sig, err := m.signer.Detach(bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			area []byte
			n    string
		}{{nil, ""}, {hidden, "12 bytes of slack"}, {append(bytes.Clone(hidden), hidden...), "24 bytes"}, {[]byte{0xff}, "damaged"}} {
			if err := os.WriteFile(path+".sig", withUnhashed(t, sig, c.area), 0o644); err != nil {
				t.Fatal(err)
			}
			r, err := pack.Verify(path, trusted)
			switch {
			case c.n == "" && (err != nil || strings.Contains(r.Note, "slack")), c.n == "damaged" && !errors.Is(err, sign.ErrBad),
				c.n != "" && ours && !errors.Is(err, sign.ErrBad), c.n != "" && c.n != "damaged" && !ours && (err != nil ||
					!strings.Contains(r.Note, c.n)):
				t.Errorf("%s, % x: %+v, %v", name, c.area, r, err)
			}
		}
	}
}

// An attribute of a CMS signature that its digest leaves out is reported, and refused in a package of ours; a time stamp is none.
func TestUnauthenticatedAttributesAreSeen(t *testing.T) {
	m := setup(t, true)
	const summary, signature, extended = "\x05SummaryInformation", "\x05DigitalSignature", "\x05MsiDigitalSignatureEx"
	for maker, ours := range map[string]bool{"ssm-setup": true, "Windows Installer XML": false} {
		named := []byte("short\x00" + maker + "\x00")
		var b bytes.Buffer
		if err := cfb.Write(&b, [16]byte{0x84}, []cfb.Stream{cfb.Bytes(summary, named)}); err != nil {
			t.Fatal(err)
		}
		path := file(t, "a.msi", b.Bytes())
		if err := m.signer.Authenticode(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		trusted := trusting(t, nil, m.authority.Root())
		if r, err := pack.Verify(path, trusted); err != nil || strings.Contains(r.Note, "slack") {
			t.Errorf("%s: %+v, %v", maker, r, err)
		}
		signed := read(t, path)
		c, err := cfb.Open(bytes.NewReader(signed), int64(len(signed)))
		if err != nil {
			t.Fatal(err)
		}
		more, err := c.Stream(extended)
		if err != nil {
			t.Fatal(err)
		}
		der, err := c.Stream(signature)
		if err != nil {
			t.Fatal(err)
		}
		cms, err := pkcs7.Unmarshal(der)
		if err != nil {
			t.Fatal(err)
		}
		value, _ := asn1.Marshal([]byte("0123456789"))
		info := &cms.Content.SignerInfos[0]
		info.RawContent = nil
		info.UnauthenticatedAttributes = append(info.UnauthenticatedAttributes, pkcs7.Attribute{Type: asn1.ObjectIdentifier{1, 2, 3},
			Values: asn1.RawValue{Class: asn1.ClassUniversal, Tag: asn1.TagSet, IsCompound: true, Bytes: value}})
		if der, err = cms.Marshal(); err != nil {
			t.Fatal(err)
		}
		b.Reset()
		streams := []cfb.Stream{cfb.Bytes(summary, named), cfb.Bytes(signature, der), cfb.Bytes(extended, more)}
		if err := cfb.Write(&b, [16]byte{0x84}, streams); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		r, err := pack.Verify(path, trusted)
		if ours && !errors.Is(err, sign.ErrBad) || !ours && (err != nil || r.Note != "signed content intact; 14 bytes of slack not covered") {
			t.Errorf("%s: %+v, %v", maker, r, err)
		}
	}
}
