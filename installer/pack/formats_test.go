package pack_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/sign"
)

// TestEveryFormatKeepsItsPromises is the suite for whatever stands in the table of formats: a new one is tested by its row.
func TestEveryFormatKeepsItsPromises(t *testing.T) {
	files := map[string]string{}
	for _, f := range pack.Formats() {
		t.Run(f.Name, func(t *testing.T) {
			if again := format(t, f.Name); again.Name != f.Name {
				t.Errorf("the word %q stands for %s", f.Name, again.Name)
			}
			if !strings.Contains(pack.Names(), f.Name) || f.Package == "" {
				t.Errorf("not among %s, or of no package: %q", pack.Names(), f.Package)
			}
			made := 0
			for _, p := range pack.Platforms() {
				name := f.File(p)
				if name == "" {
					continue
				}
				made++
				if other, taken := files[name]; taken {
					t.Errorf("%s is made by %s, too", name, other)
				}
				files[name] = f.Name
				if of, platform, ok := pack.Of(name); !ok || of.Name != f.Name || platform != p {
					t.Errorf("%s is read as %s for %s", name, of.Name, platform)
				}
				testKeys(t, f, p)
				testArtifact(t, f, p)
				testProof(t, f, p)
			}
			if made == 0 {
				t.Error("it is made for no platform")
			}
			testManager(t, f)
		})
	}
}

// testKeys: keys in a bucket are clean paths, those of a version begin with its folder, the copies lie below latest/.
func testKeys(t *testing.T, f pack.Format, p pack.Platform) {
	t.Helper()
	in := input(t, p)
	version := in.Version.String()
	fixed, latest := f.Keys(in.Version, p)
	if len(fixed) == 0 || fixed[0] != f.Package+"/"+version+"/"+f.File(p) {
		t.Errorf("its first key is %v", fixed)
	}
	for _, key := range slices.Concat(fixed, latest) {
		if !fs.ValidPath(key) || path.Clean(key) != key {
			t.Errorf("%q is no clean key", key)
		}
	}
	for _, key := range fixed[1:] {
		if !strings.HasPrefix(key, version+"/") {
			t.Errorf("%q does not lie below the version", key)
		}
	}
	for _, key := range latest {
		if !strings.Contains("/"+key, "/latest/") {
			t.Errorf("%q does not lie below latest/", key)
		}
	}
}

// testArtifact: whole or not at all, what is said of it is true, and the same input gives the same bytes.
func testArtifact(t *testing.T, f pack.Format, p pack.Platform) {
	t.Helper()
	in, dir := input(t, p), t.TempDir()
	a, err := pack.Make(f, in, dir)
	if err != nil {
		t.Fatalf("%s: %v", p, err)
	}
	first, err := os.ReadFile(filepath.Join(dir, a.File))
	if err != nil || int64(len(first)) != a.Size || a.SHA256 != host.SHA256Bytes(first) || a.Format != f.Name || a.Platform != p.String() {
		t.Errorf("%s: %d bytes, %+v, %v", p, len(first), a, err)
	}
	want := f.Mode
	if want == 0 {
		want = 0o644
	}
	if info, err := os.Stat(filepath.Join(dir, a.File)); err != nil || info.Mode().Perm() != want {
		t.Errorf("%s: mode %v, %v", p, info.Mode(), err)
	}
	if again := make1(t, f.Name, in); !bytes.Equal(first, again) {
		t.Errorf("%s: made twice, two results", p)
	}
	for _, program := range f.Needs(p) {
		if _, err := os.Stat(filepath.Join(in.Bin, p.Executable(program))); err != nil {
			t.Errorf("it needs %s, which no build makes", program)
		}
	}
	if len(f.Programs) == 0 {
		return
	}
	if err := os.Remove(filepath.Join(in.Bin, p.Executable(f.Programs[0]))); err != nil {
		t.Fatal(err)
	}
	empty := t.TempDir()
	if _, err := pack.Make(f, in, empty); err == nil {
		t.Errorf("%s: made without %s", p, f.Programs[0])
	}
	if left, _ := os.ReadDir(empty); len(left) != 0 {
		t.Errorf("%s: a failure left %v", p, left)
	}
}

// testProof: a format that is signed says how, its file is known by its content, and unsigned it does not pass for signed. What
// was signed before leaves no signature beside a file built without keys.
func testProof(t *testing.T, f pack.Format, p pack.Platform) {
	t.Helper()
	in, dir := input(t, p), t.TempDir()
	if err := os.WriteFile(filepath.Join(in.Bin, p.Executable(pack.Carrier)), []byte("MZ, as programs for Windows begin"), 0o700); err != nil {
		t.Fatal(err)
	}
	unsigned, err := pack.Make(f, in, dir)
	if err != nil {
		t.Fatal(err)
	}
	r, err := pack.Verify(filepath.Join(dir, unsigned.File), sign.Trusted{Now: time.Unix(1700000000, 0)})
	if f.Signed.Content.Check != nil && (r.Kind != f.Name || err == nil && r.Trust != sign.Unsigned) {
		t.Errorf("%s: it is read as %+v, %v", p, r, err)
	}
	if f.Signed.Content.Check == nil && f.Signed.Installers == pack.Authenticode { // FILE.sig is checked for every file
		t.Errorf("installers look for %s, but nothing checks it", f.Signed.Installers)
	}
	in.Signing = marks
	signed, err := pack.Make(f, in, dir)
	if err != nil {
		t.Fatal(err)
	}
	if inside := f.Signed.Content.Check != nil; inside == (signed.SHA256 == unsigned.SHA256) && len(f.Needs(p)) == len(f.Programs) {
		t.Errorf("%s: with keys and without: same bytes is %v", p, !inside)
	}
	b, err := os.ReadFile(filepath.Join(dir, signed.File+pack.SignatureSuffix))
	if beside := f.Signed.Content.Check != nil; beside != (string(b) == "OpenPGP") || beside == errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s: beside it lies %q, %v", p, b, err)
	}
	in.Signing = pack.Signing{}
	if _, err := pack.Make(f, in, dir); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%s, built again without keys: %v", p, left)
	}
}

// testManager: a format that a package manager installs says so for the platforms it is made for, with commands that name the
// package once, and has a key for people and the original's tools.
func testManager(t *testing.T, f pack.Format) {
	t.Helper()
	m := f.Manager
	if m == nil {
		return
	}
	on := 0
	for _, p := range pack.Platforms() {
		if !slices.ContainsFunc(pack.Managed(p), func(o pack.Format) bool { return o.Name == f.Name }) {
			continue
		}
		on++
		if f.Loose == nil || len(f.Loose(p)) == 0 {
			t.Errorf("%s: no key beside the manifest's", p)
		}
	}
	named := 0
	for _, word := range m.Install {
		if word == "{}" {
			named++
		}
	}
	if on == 0 || len(m.Query) == 0 || m.Installed == "" || named != 1 || len(m.Remove) == 0 || len(m.Purge) == 0 {
		t.Errorf("on %d platforms: %+v", on, m)
	}
	for _, family := range m.Families {
		if got := pack.FamilyFormat(family); got != f.Name {
			t.Errorf("%s is at home with %q", family, got)
		}
	}
}
