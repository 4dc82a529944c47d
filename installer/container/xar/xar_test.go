package xar_test

import (
	"bytes"
	"compress/zlib"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	rand2 "math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/container/xar"
)

var at = time.Unix(1700000000, 0).UTC()

func write(t testing.TB, a xar.Archive) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := xar.Write(&b, a); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func open(t testing.TB, b []byte) *xar.Reader {
	t.Helper()
	r, err := xar.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func small() xar.Archive {
	return xar.Archive{Time: at, Files: []xar.File{
		{Name: "Distribution", Mode: 0o644, Time: at, Data: []byte(strings.Repeat("<line/>\n", 100)), Deflate: true},
		{Name: "a.pkg", Mode: fs.ModeDir | 0o755, Time: at},
		{Name: "a.pkg/Payload", Mode: 0o600, Time: at, Data: []byte("stored")},
		{Name: "a.pkg/empty", Mode: 0o644, Time: at, Deflate: true},
	}}
}

func TestFilesAreReadBack(t *testing.T) {
	for _, hash := range []crypto.Hash{0, crypto.SHA1, crypto.SHA256} {
		a := small()
		a.Hash = hash
		for i, name := range []string{"with space", " <&>\"'", "line\nbreak", "bad\xff\xfe", "ünter", "\u0085\ufffe\x01"} {
			a.Files = append(a.Files, xar.File{Name: name, Mode: fs.FileMode(i), Time: at, Data: []byte(name)})
		}
		r := open(t, write(t, a))
		if len(r.Files) != len(a.Files) {
			t.Fatalf("%d files, %d expected", len(r.Files), len(a.Files))
		}
		for i, e := range r.Files {
			want := a.Files[i]
			b, err := r.Read(e, 1<<20)
			if err != nil || e.Name != want.Name || e.Mode != want.Mode || !e.Time.Equal(at) || !bytes.Equal(b, want.Data) {
				t.Errorf("%v: %+v, %q, %v", hash, e, b, err)
			}
		}
		if e := r.Files[0]; e.Length >= e.Size {
			t.Errorf("the first file was not compressed: %d of %d bytes", e.Length, e.Size)
		}
	}
}

func TestTenThousandFilesAreReadBack(t *testing.T) {
	a := xar.Archive{Time: at}
	for i := range 10000 {
		a.Files = append(a.Files, xar.File{Name: fmt.Sprintf("file-%d", i), Mode: 0o644, Time: at, Data: fmt.Append(nil, i)})
	}
	r := open(t, write(t, a))
	if len(r.Files) != 10000 {
		t.Fatalf("%d files", len(r.Files))
	}
	if b, err := r.Read(r.Files[9999], 100); err != nil || string(b) != "9999" {
		t.Errorf("%q, %v", b, err)
	}
}

// Sign is called with the digest of the table that the archive then has; certificates and bytes are where the table says.
func TestTheTableOfContentsIsSigned(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	chain := [][]byte{[]byte("leaf"), bytes.Repeat([]byte("root"), 100)}
	classic, err := xar.RSA(key, chain)
	if err != nil {
		t.Fatal(err)
	}
	cms := xar.Signature{Element: "x-signature", Style: "CMS", Size: 100, Chain: chain,
		Sign: func(digest []byte, _ crypto.Hash) ([]byte, error) { return digest, nil }}
	a := small()
	a.Signatures = []xar.Signature{classic, cms}
	r := open(t, write(t, a))
	if len(r.Signatures) != 2 {
		t.Fatalf("%d signatures", len(r.Signatures))
	}
	if s := r.Signatures[0]; s.Element != "signature" || s.Style != "RSA" || !slices.EqualFunc(s.Chain, chain, bytes.Equal) {
		t.Errorf("%+v", s)
	} else if err := rsa.VerifyPKCS1v15(&key.PublicKey, r.Hash, r.Digest, s.Bytes); err != nil {
		t.Error(err)
	}
	if s := r.Signatures[1]; s.Element != "x-signature" || s.Style != "CMS" || !bytes.Equal(s.Bytes, append(r.Digest, make([]byte, 68)...)) {
		t.Errorf("%+v", s)
	}
	for i, e := range r.Files {
		if b, err := r.Read(e, 1<<20); err != nil || !bytes.Equal(b, a.Files[i].Data) {
			t.Errorf("%s behind signatures: %v", e.Name, err)
		}
	}
}

func TestASignatureThatFailsIsAnError(t *testing.T) {
	a := small()
	cause := errors.New("the token is gone")
	a.Signatures = []xar.Signature{{Element: "signature", Style: "RSA", Size: 1, Sign: func([]byte, crypto.Hash) ([]byte, error) {
		return nil,
			cause
	}}}
	if err := xar.Write(new(bytes.Buffer), a); !errors.Is(err, cause) {
		t.Error(err)
	}
	a.Signatures[0].Sign = func([]byte, crypto.Hash) ([]byte, error) { return []byte("too long"), nil }
	if err := xar.Write(new(bytes.Buffer), a); !errors.Is(err, xar.ErrFormat) {
		t.Error(err)
	}
}

// No byte of table or heap can be changed without notice.
func TestAnyChangedByteIsNoticed(t *testing.T) {
	whole := write(t, small())
	for i := 28; i < len(whole); i++ {
		b := slices.Clone(whole)
		b[i] ^= 0x20
		if r, err := xar.Open(bytes.NewReader(b), int64(len(b))); err == nil && readAll(r) == nil {
			t.Errorf("byte %d changed, and nothing was said", i)
		}
	}
	for n := range len(whole) {
		if r, err := xar.Open(bytes.NewReader(whole[:n]), int64(n)); err == nil && readAll(r) == nil {
			t.Errorf("cut to %d bytes, and nothing was said", n)
		}
	}
}

func readAll(r *xar.Reader) error {
	for _, e := range r.Files {
		if _, err := r.Read(e, 1<<20); err != nil {
			return err
		}
	}
	return nil
}

func TestWhatTheFormatCannotHoldIsRefused(t *testing.T) {
	for what, f := range map[string]xar.File{
		"no folder": {Name: "b/c"}, "upward": {Name: "../x"}, "absolute": {Name: "/x"}, "unclean": {Name: "./x"},
		"twice": {Name: "Distribution"}, "link": {Name: "l", Mode: fs.ModeSymlink}, "file as folder": {Name: "Distribution/x"}, "none": {},
	} {
		a := small()
		a.Files = append(a.Files, f)
		if err := xar.Write(new(bytes.Buffer), a); !errors.Is(err, xar.ErrFormat) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := xar.Write(new(bytes.Buffer), xar.Archive{Hash: crypto.MD5}); !errors.Is(err, xar.ErrFormat) {
		t.Errorf("MD5: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	whole := write(f, small())
	f.Add(whole)
	f.Add(whole[:200])
	for _, at := range []int{5, 30, len(whole) - 1} { // its version, its table, its heap
		bad := bytes.Clone(whole)
		bad[at] ^= 0x41
		f.Add(bad)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := xar.Open(bytes.NewReader(b), int64(len(b)))
		if err == nil {
			err = readAll(r)
		}
		if err != nil && !errors.Is(err, xar.ErrFormat) && !errors.Is(err, xar.ErrDigest) {
			t.Error(err)
		}
	})
}

// wrap puts any table of contents into an archive whose digest is right.
func wrap(table []byte) []byte {
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	z.Write(table)
	z.Close()
	b := []byte("xar!\x00\x1c\x00\x01")
	b = binary.BigEndian.AppendUint64(b, uint64(packed.Len()))
	b = binary.BigEndian.AppendUint64(b, uint64(len(table)))
	b = binary.BigEndian.AppendUint32(b, 3)
	digest := sha256.Sum256(packed.Bytes())
	return append(append(append(b, packed.Bytes()...), digest[:]...), "heap"...)
}

// Sizes above 2 GiB are read as they stand; bytes that are not there are missed.
func TestSizesAboveTwoGiBAreRead(t *testing.T) {
	b := wrap([]byte("<xar><toc><checksum style=\"sha256\"><offset>0</offset><size>32</size></checksum><file><name>a</name><type>file</type><mode>0644</mode><data>" +
		"<length>3221225472</length><offset>4294967296</offset><size>2147483648</size><encoding style=\"application/x-gzip\"/></data></file></toc></xar>"))
	r := open(t, b)
	if e := r.Files[0]; e.Length != 3<<30 || e.Offset != 4<<30 || e.Size != 2<<30 {
		t.Errorf("%+v", e)
	}
	if _, err := r.Read(r.Files[0], 4<<30); !errors.Is(err, xar.ErrFormat) {
		t.Error(err)
	}
}

func FuzzTable(f *testing.F) {
	const head = "<xar><toc><checksum style=\"sha256\"><offset>0</offset><size>32</size></checksum>"
	f.Add([]byte(head + "<signature style=\"RSA\"><offset>32</offset><size>4</size></signature><file><name>a</name><type>file</type><mode>0644</mode><data>" +
		"<length>4</length><offset>32</offset><size>4</size>" +
		"<encoding style=\"application/octet-stream\"/><archived-checksum style=\"sha1\">00</archived-checksum></data></file></toc></xar>"))
	f.Add([]byte(head + "<file><name enctype=\"base64\">YQ==</name><type>directory</type><mode>0755</mode><file><name>b</name></file></file></toc></xar>"))
	f.Add([]byte(head + "<x-signature><size>-1</size></x-signature></toc></xar>"))
	f.Fuzz(func(t *testing.T, table []byte) {
		b := wrap(table)
		r, err := xar.Open(bytes.NewReader(b), int64(len(b)))
		if err == nil {
			err = readAll(r)
		}
		if err != nil && !errors.Is(err, xar.ErrFormat) && !errors.Is(err, xar.ErrDigest) {
			t.Error(err)
		}
	})
}

// Any tree of names that a file system can have goes there and back.
func TestAnyTreeOfNamesIsReadBack(t *testing.T) {
	random := rand2.New(rand2.NewPCG(1, 2))
	for range 50 {
		a, names := xar.Archive{Time: at}, map[string]bool{}
		folders := []string{""}
		for range random.IntN(60) {
			b := make([]byte, 1+random.IntN(40))
			for i := range b {
				b[i] = byte(1 + random.IntN(255))
			}
			name := strings.ReplaceAll(string(b), "/", "_")
			full := folders[random.IntN(len(folders))] + name
			if name == "." || name == ".." || names[full] {
				continue
			}
			names[full] = true
			f := xar.File{Name: full, Mode: fs.FileMode(random.IntN(0o1000)), Time: at}
			if random.IntN(4) == 0 && len(full) < 200 {
				f.Mode |= fs.ModeDir
				folders = append(folders, full+"/")
			} else {
				f.Data, f.Deflate = bytes.Repeat(b, random.IntN(20)), random.IntN(2) == 0
			}
			a.Files = append(a.Files, f)
		}
		r := open(t, write(t, a))
		got := map[string]xar.Entry{}
		for _, e := range r.Files {
			got[e.Name] = e
		}
		for _, want := range a.Files {
			e := got[want.Name]
			if b, err := r.Read(e, 1<<20); err != nil || !bytes.Equal(b, want.Data) || e.Mode != want.Mode {
				t.Fatalf("%q: %v, %q, %v", want.Name, e.Mode, b, err)
			}
		}
		if len(got) != len(a.Files) {
			t.Fatalf("%d of %d files", len(got), len(a.Files))
		}
	}
}
