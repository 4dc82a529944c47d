//go:build integration

package pack_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/container/bom"
	"github.com/ssm-setup/ssm-setup/installer/container/cpio"
	"github.com/ssm-setup/ssm-setup/installer/container/xar"
)

// tool runs an installed program that must succeed and returns what it prints.
func tool(t *testing.T, debian, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Fatalf("%s is not installed (Debian: apt-get install %s)", name, debian)
	}
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// made is a universal package on disk, and what our own readers find in it.
func made(t *testing.T) (path string, u unpacked) {
	t.Helper()
	b := make1(t, "pkg", input(t, macUniversal))
	path = filepath.Join(t.TempDir(), "amazon-ssm-agent.pkg")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, unpackPkg(t, b)
}

func tempFile(t *testing.T, data []byte) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// 7-Zip compares the digests of the table and of every file; it notices a changed one.
func TestSevenZipReadsAPkgAndNoticesAChangedOne(t *testing.T) {
	path, u := made(t)
	if out := tool(t, "p7zip-full", "7z", "t", path); !strings.Contains(out, "Everything is Ok") {
		t.Error(out)
	}
	listed := tool(t, "p7zip-full", "7z", "l", "-slt", path)
	for _, name := range u.names {
		if !strings.Contains(listed, "Path = "+name[strings.LastIndexByte(name, ' ')+1:]+"\n") {
			t.Errorf("%s is not listed", name)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-30] ^= 1
	if out, err := exec.Command("7z", "t", tempFile(t, b)).CombinedOutput(); err == nil {
		t.Errorf("a changed byte went by: %s", out)
	}
}

// libarchive reads payload and scripts, and sees modes, owners and links as we wrote them.
func TestLibarchiveReadsPayloadAndScriptsOfAPkg(t *testing.T) {
	_, u := made(t)
	var lines []string
	for line := range strings.Lines(tool(t, "libarchive-tools", "bsdtar", "--numeric-owner", "-tvf",
		tempFile(t, u.outer["amazon-ssm-agent.pkg/Payload"]))) {
		f := strings.Fields(line) // mode links uid gid size month day year name [-> target]
		lines = append(lines, fmt.Sprintf("%s %s:%s %s", f[0], f[2], f[3], strings.Join(f[8:], " ")))
	}
	var want []string
	for _, line := range u.lines {
		want = append(want, strings.Replace(line, "Lrwx", "lrwx", 1))
	}
	golden(t, lines, strings.Join(want, "\n"))
	if out := tool(t, "libarchive-tools", "bsdtar", "-tvf", tempFile(t, u.outer["amazon-ssm-agent.pkg/Scripts"])); strings.Count(out,
		"-rwxr-xr-x") != 2 {
		t.Error(out)
	}
}

// libarchive knows xar with SHA-1 only.
func TestLibarchiveReadsAXarWithSHA1(t *testing.T) {
	var b bytes.Buffer
	err := xar.Write(&b, xar.Archive{Hash: crypto.SHA1, Files: []xar.File{{Name: "a", Mode: fs.ModeDir | 0o755},
		{Name: "a/b c", Mode: 0o600, Data: []byte("text"), Deflate: true}}})
	if err != nil {
		t.Fatal(err)
	}
	if out := tool(t, "libarchive-tools", "bsdtar", "-xOf", tempFile(t, b.Bytes()), "a/b c"); out != "text" {
		t.Error(out)
	}
}

func TestTheXMLOfAPkgIsWellFormed(t *testing.T) {
	_, u := made(t)
	for _, text := range []string{string(u.outer["Distribution"]), string(u.outer["amazon-ssm-agent.pkg/PackageInfo"]),
		u.content["./Library/LaunchDaemons/com.amazon.aws.ssm.plist"]} {
		if out := tool(t, "libxml2-utils", "xmllint", "--nonet", "--noout", tempFile(t, []byte(text))); out != "" {
			t.Error(out)
		}
	}
}

// An independent reader finds the same in our bill as we wrote, and ours reads a bill that Apple's tool wrote.
func TestAnotherReaderFindsTheSameInABill(t *testing.T) {
	dir := readers(t)
	home := filepath.Join(dir, "node_modules", "lsbom")
	_, u := made(t)
	bill, err := bom.Read(u.outer["amazon-ssm-agent.pkg/Bom"])
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, e := range bill {
		kind, rest := 0o100000, fmt.Sprintf("%d\t%d", e.Size, e.Sum)
		switch e.Mode.Type() {
		case fs.ModeDir:
			kind, rest = 0o040000, "\t"
		case fs.ModeSymlink:
			kind = 0o120000
		}
		want = append(want, fmt.Sprintf("%s\t%o\t0/0\t%s", e.Path, kind|int(e.Mode.Perm()), rest))
	}
	got := tool(t, "nodejs", "node", filepath.Join(home, "cli.js"), tempFile(t, u.outer["amazon-ssm-agent.pkg/Bom"]))
	if got != strings.Join(want, "\n")+"\n" {
		t.Errorf("got\n%swant\n%s", got, strings.Join(want, "\n"))
	}

	apples, err := os.ReadFile(filepath.Join(home, "Bom"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := bom.Read(apples)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(e bom.Entry) bool { return e.Path == "./link.txt" })
	if len(list) != 10 || i < 0 || list[i].Link != "faust.txt" || list[i].Sum != sumOf([]byte("faust.txt")) {
		t.Errorf("%+v", list)
	}
	text, err := os.ReadFile(filepath.Join(home, "testdir", "faust.txt"))
	if i := slices.IndexFunc(list, func(e bom.Entry) bool { return e.Path == "./faust.txt" }); err != nil || i < 0 ||
		list[i].Sum != sumOf(text) {
		t.Errorf("the checksum of a file that Apple's tool listed: %+v, %v", list, err)
	}
}

func TestSumsAreThoseOfCksum(t *testing.T) {
	for _, text := range []string{"", "a", strings.Repeat("payload\n", 100000)} {
		out := tool(t, "coreutils", "cksum", tempFile(t, []byte(text)))
		if want := fmt.Sprintf("%d %d ", sumOf([]byte(text)), len(text)); !strings.HasPrefix(out, want) {
			t.Errorf("%q, want %q", out, want)
		}
	}
}

// openssl checks a signature over the table of contents with nothing but the archive's bytes and the public key; 7-Zip still
// finds every file behind it.
func TestOpenSSLVerifiesTheSignatureOfAPkg(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	classic, err := xar.RSA(key, [][]byte{[]byte("no certificate here")})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	_, u := made(t)
	files := []xar.File{{Name: "Distribution", Mode: 0o644, Data: u.outer["Distribution"], Deflate: true}}
	if err := xar.Write(&b, xar.Archive{Files: files, Signatures: []xar.Signature{classic}}); err != nil {
		t.Fatal(err)
	}
	whole := b.Bytes()
	r, err := xar.Open(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	pub := tempFile(t, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
	length := int64(whole[14])<<8 | int64(whole[15]) // of the table: the low bytes of the header's figure
	table, err := io.ReadAll(io.NewSectionReader(bytes.NewReader(whole), 28, length))
	if err != nil {
		t.Fatal(err)
	}
	out := tool(t, "openssl", "openssl", "dgst", "-sha256", "-verify", pub, "-signature",
		tempFile(t, r.Signatures[0].Bytes), tempFile(t, table))
	if !strings.Contains(out, "Verified OK") {
		t.Error(out)
	}
	if out := tool(t, "p7zip-full", "7z", "t", tempFile(t, whole)); !strings.Contains(out, "Everything is Ok") {
		t.Error(out)
	}
}

// Ten thousand files with odd names among them: libarchive and 7-Zip read every one of them as it was written.
func TestOtherReadersReadTenThousandFiles(t *testing.T) {
	t.Setenv("LC_ALL", "C.UTF-8") // libarchive turns the names of xar into those of the locale
	var table, payload bytes.Buffer
	c := cpio.NewWriter(&payload)
	a := xar.Archive{Hash: crypto.SHA1}
	var names []string
	for i := range 10000 {
		name := fmt.Sprintf("file %d äöü & <x> 'y' \"z\"", i)
		data := strings.Repeat("0123456789", i%50)
		names = append(names, name)
		a.Files = append(a.Files, xar.File{Name: name, Mode: 0o644, Data: []byte(data), Deflate: i%2 == 0})
		if err := c.Add(cpio.Entry{Name: "./" + name, Mode: 0o644, Time: time.Unix(1700000000, 0), Size: int64(len(data))},
			strings.NewReader(data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(c.Close(), xar.Write(&table, a)); err != nil {
		t.Fatal(err)
	}
	for kind, b := range map[string][]byte{"cpio": payload.Bytes(), "xar": table.Bytes()} {
		dir := t.TempDir()
		tool(t, "libarchive-tools", "bsdtar", "-C", dir, "-xf", tempFile(t, b))
		for i, name := range names {
			got, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil || string(got) != strings.Repeat("0123456789", i%50) {
				t.Fatalf("%s: %s: %q, %v", kind, name, got, err)
			}
		}
	}
	a.Hash = crypto.SHA256
	table.Reset()
	if err := xar.Write(&table, a); err != nil {
		t.Fatal(err)
	}
	// 7-Zip counts the table, too.
	if out := tool(t, "p7zip-full", "7z", "t", tempFile(t, table.Bytes())); !strings.Contains(out, "Everything is Ok") ||
		!strings.Contains(out, "Files: 10001\n") {
		t.Error(out[max(0, len(out)-300):])
	}
}
