package originals_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"debug/pe"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/originals"
	"github.com/ssm-setup/ssm-setup/installer/sign"
	"github.com/ssm-setup/ssm-setup/installer/sign/testca"
	"github.com/ssm-setup/ssm-setup/installer/systems"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// form is a system of another kind, and how its package is called.
type form struct {
	packing, os, archive, payload, loose string
	commands                             []string // of a life: install 3.3.1.0, update to 3.3.2.0, roll back, remove
}

var marker = regexp.MustCompile(`VERSION=(\d+\.\d+\.\d+\.\d+)`)

// forms are rpm, Windows' setup program and macOS' archive (docs/protocol/update.md, "Choosing package, service and verification manager").
var forms = []form{
	{"rpm", "linux", "amazon-ssm-agent-linux-amd64.tar.gz", "amazon-ssm-agent.rpm", "linux_amd64", []string{
		"rpm -U --test --oldpackage --replacepkgs A", "rpm -U --oldpackage --replacepkgs A",
		"rpm -U --test --oldpackage --replacepkgs B", "rpm -U --oldpackage --replacepkgs B",
		"rpm -U --test --oldpackage --replacepkgs A", "rpm -U --oldpackage --replacepkgs A", "rpm -e amazon-ssm-agent"}},
	{"exe", "windows", "amazon-ssm-agent-windows-amd64.zip", "AmazonSSMAgentSetup.exe", "windows_amd64", []string{
		"A ALLOWEC2INSTALL=YES SKIPSYMLINKSCAN=YES /quiet /norestart", "B ALLOWEC2INSTALL=YES SKIPSYMLINKSCAN=YES /quiet /norestart",
		"B /uninstall /quiet /norestart", "A ALLOWEC2INSTALL=YES SKIPSYMLINKSCAN=YES /quiet /norestart", "A /uninstall /quiet /norestart"}},
	{"pkg", "darwin", "amazon-ssm-agent-darwin-amd64.tar.gz", "amazon-ssm-agent.tar.gz", "darwin_amd64", []string{
		"tar -xf A -C /", "launchctl load", "tar -xf B -C /", "launchctl load", "tar -xf A -C /", "launchctl load",
		"launchctl unload", "rm -rf /opt/aws/ssm/bin", "pkgutil --forget com.amazon.aws.ssm"}},
}

// offers puts versions for such a system into a bucket; content is a version's package.
func (f form) offers(w *world, base string, content func(version string) []byte, versions ...string) {
	w.t.Helper()
	m := manifests.NewManifest(manifests.DefaultUriFormat)
	for _, v := range versions {
		pkg := content(v)
		archive := archived(w.t, map[string]string{f.payload: string(pkg)})
		if strings.HasSuffix(f.archive, ".zip") {
			archive = zipped(w.t, f.payload, pkg)
		}
		sum := sha256.Sum256(archive)
		m.Add("amazon-ssm-agent", f.archive, manifests.FileVersion{Version: v, Checksum: hex.EncodeToString(sum[:])})
		w.buckets[base+"/amazon-ssm-agent/"+v+"/"+f.archive] = archive
		w.buckets[base+"/latest/VERSION"] = []byte(v)
	}
	w.buckets[base+"/ssm-agent-manifest.json"] = m.Bytes()
}

// agent is one on such a system: its programs are played, and what they were told is kept, the packages as A and B.
func (f form) agent(w *world) *originals.Agent {
	a := w.agent()
	a.System.Packing, a.System.OursFile, a.System.Facts = f.packing, "", systems.Facts{OS: f.os, Kernel: "6.1.0"}
	a.System.Run = func(ctx context.Context, c ...string) (string, error) { return f.run(ctx, w, c) }
	return a
}

func (f form) run(ctx context.Context, w *world, c []string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	line, version := strings.Join(c, " "), ""
	for _, word := range c {
		if b, err := os.ReadFile(word); err == nil && filepath.IsAbs(word) && marker.Match(b) && !strings.HasSuffix(word, "-version") {
			version = string(marker.FindSubmatch(b)[1])
			line = strings.Replace(line, word, map[string]string{"3.3.1.0": "A", "3.3.2.0": "B"}[version], 1)
		}
	}
	switch {
	case strings.HasPrefix(line, "rpm -qp"):
		return "amazon-ssm-agent " + version, nil
	case strings.HasPrefix(line, "rpm -q "), strings.HasPrefix(line, "reg query"), strings.HasSuffix(line, "amazon-ssm-agent -version"):
		if w.has() == "" {
			return "", errors.New("exit status 1")
		}
		return "Version REG_SZ " + w.has() + "\n", nil
	}
	w.commands = append(w.commands, line)
	switch {
	case strings.Contains(line, "--test"):
	case strings.Contains(line, "/uninstall"), strings.HasPrefix(line, "rpm -e"), strings.HasPrefix(line, "pkgutil"):
		w.db, w.running, w.text = "", false, ""
		os.Remove(w.home.Launcher())
	case version != "":
		must(w.t, os.MkdirAll(w.home.BinDir(), 0o755))
		for _, p := range []string{w.home.Launcher(), w.home.Worker()} {
			must(w.t, os.WriteFile(p, []byte("VERSION="+version), 0o755))
		}
		w.db, w.text = "install ok installed "+version, "sound"
		w.up()
	}
	return "", nil
}

func TestTheOriginalsPackageOfEveryOtherSystemLivesByItsOwnInstaller(t *testing.T) {
	maker := newMaker(t)
	for _, f := range forms {
		t.Run(f.packing, func(t *testing.T) {
			w := newWorld(t)
			content := func(v string) []byte { return []byte("VERSION=" + v) }
			if f.packing == "exe" {
				content = func(v string) []byte { return maker.signed(t, v, "Amazon.com Services LLC") }
			}
			f.offers(w, amazon, content, "3.3.1.0", "3.3.2.0")
			o := originals.Options{Source: w.source(amazon), Trust: maker.trust(t), Version: "3.3.1.0", Activation: activation}
			if f.packing != "exe" {
				o.Trust = originals.Trust{}
			}
			r, err := f.agent(w).Install(t.Context(), o)
			if err != nil || r.Format != f.packing || w.has() != "3.3.1.0" || r.InstanceID == "" {
				t.Fatalf("%+v, %v", r, err)
			}
			if f.packing == "exe" && r.Signature != "signature good, by Amazon.com Services LLC" {
				t.Error(r.Signature)
			}
			o.Version = ""
			if out, err := f.agent(w).Update(t.Context(), o); err != nil || !out.Success || w.has() != "3.3.2.0" {
				t.Fatalf("%+v, %v", out, err)
			}
			if out, err := f.agent(w).Rollback(t.Context()); err != nil || !out.Success || w.has() != "3.3.1.0" {
				t.Fatalf("%+v, %v", out, err)
			}
			if s, err := f.agent(w).Status(t.Context()); err != nil || s.Version.String() != "3.3.1.0" || s.Packing != f.packing {
				t.Errorf("%+v, %v", s, err)
			}
			if _, err := f.agent(w).Remove(t.Context()); err != nil || w.has() != "" {
				t.Fatal(err)
			}
			var got []string
			for _, c := range w.commands {
				if c != "register" {
					got = append(got, c)
				}
			}
			if len(got) != len(f.commands) {
				t.Fatalf("it was told\n%s", strings.Join(got, "\n"))
			}
			for n, want := range f.commands {
				if !strings.HasPrefix(got[n], want) {
					t.Errorf("%d: %q, want %q", n, got[n], want)
				}
			}
		})
	}
}

// What Windows runs must be signed by Amazon, wherever it comes from and whatever is allowed.
func TestASetupProgramOfTheOriginalHasToBeSignedByAmazon(t *testing.T) {
	maker, stranger, windows := newMaker(t), newMaker(t), forms[1]
	for name, c := range map[string]struct {
		content func(v string) []byte
		want    error // nil: it is taken
	}{
		"by Amazon":                 {func(v string) []byte { return maker.signed(t, v, "Amazon.com Services LLC") }, nil},
		"by another":                {func(v string) []byte { return maker.signed(t, v, "Example Corp") }, originals.ErrSigner},
		"by a like name":            {func(v string) []byte { return maker.signed(t, v, "Amazon.com Services LLC.") }, originals.ErrSigner},
		"by none":                   {program, sign.ErrUnsigned},
		"by Amazon of another root": {func(v string) []byte { return stranger.signed(t, v, "Amazon.com Services LLC") }, sign.ErrUntrusted},
		"by Amazon, then changed": {func(v string) []byte {
			b := maker.signed(t, v, "Amazon.com Services LLC")
			b[0x201] ^= 1
			return b
		}, sign.ErrBad},
	} {
		for _, base := range []string{amazon, other} {
			w := newWorld(t)
			windows.offers(w, base, c.content, "3.3.1.0")
			trust := maker.trust(t)
			trust.AllowUnsigned = true
			r, err := windows.agent(w).Install(t.Context(), originals.Options{Source: w.source(base), Trust: trust})
			if c.want == nil {
				if err != nil || w.has() != "3.3.1.0" || r.Signature != "signature good, by Amazon.com Services LLC" {
					t.Errorf("%s, %s: %q, %v", name, base, r.Signature, err)
				}
				continue
			}
			if !errors.Is(err, c.want) || fault.Of(err) != fault.Verify || w.has() != "" || len(w.commands) > 0 ||
				exists(w.home.Own(installer.OwnOriginal)) {
				t.Errorf("%s, %s: %v; did %v", name, base, err, w.commands)
			}
		}
	}
}

// maker is an authority whose certificates sign programs.
type maker struct{ *testca.Authority }

func newMaker(t *testing.T) maker { return maker{testca.New(t, now)} }

// trust takes that authority for Windows' own.
func (m maker) trust(t *testing.T) (trust originals.Trust) {
	t.Helper()
	must(t, trust.Keys.ReadRoots(m.Root()))
	return trust
}

// signed is a program of a version, signed in a name.
func (m maker) signed(t *testing.T, version, name string) []byte {
	t.Helper()
	chain, key := m.RSA(name, testca.CodeSigning)
	s, err := sign.Open(sign.Options{Cert: chain, Key: key, Now: now})
	must(t, err)
	path := filepath.Join(t.TempDir(), "a.exe")
	must(t, os.WriteFile(path, program(version), 0o600))
	must(t, s.Authenticode(context.Background(), path))
	b, err := os.ReadFile(path)
	must(t, err)
	return b
}

// program is a small program for Windows, with its version in its code.
func program(version string) []byte {
	const offset = 0x80
	var b bytes.Buffer
	dos := make([]byte, offset)
	copy(dos, "MZ")
	binary.LittleEndian.PutUint32(dos[0x3c:], offset)
	b.Write(dos)
	b.WriteString("PE\x00\x00")
	opt := pe.OptionalHeader64{Magic: 0x20b, SizeOfCode: 512, AddressOfEntryPoint: 0x1000, BaseOfCode: 0x1000, ImageBase: 0x140000000,
		SectionAlignment: 0x1000, FileAlignment: 0x200, MajorOperatingSystemVersion: 6, MajorSubsystemVersion: 6, SizeOfImage: 0x2000,
		SizeOfHeaders: 0x200, Subsystem: 3, NumberOfRvaAndSizes: 16}
	section := pe.SectionHeader32{VirtualSize: 64, VirtualAddress: 0x1000, SizeOfRawData: 512, PointerToRawData: 512,
		Characteristics: 0x60000020}
	copy(section.Name[:], ".text")
	for _, part := range []any{pe.FileHeader{Machine: pe.IMAGE_FILE_MACHINE_AMD64, NumberOfSections: 1,
		SizeOfOptionalHeader: uint16(binary.Size(opt)), Characteristics: 0x22}, opt, section} {
		_ = binary.Write(&b, binary.LittleEndian, part)
	}
	code := make([]byte, 1024-b.Len())
	copy(code[512-b.Len():], "\xc3 VERSION="+version+" ")
	b.Write(code)
	return b.Bytes()
}

// zipped is an archive for Windows.
func zipped(t *testing.T, name string, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.Create(name)
	must(t, err)
	_, err = f.Write(content)
	must(t, errors.Join(err, z.Close()))
	return b.Bytes()
}
