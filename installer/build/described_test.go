package build_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/build"
	"github.com/ssm-setup/ssm-setup/installer/container/cab"
	"github.com/ssm-setup/ssm-setup/installer/container/msi"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/pack/resource"
	"github.com/ssm-setup/ssm-setup/installer/setupexe"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// programsOf are real programs for Windows that carry a version and do nothing.
func programsOf(t *testing.T, arch, version string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	source := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(source, []byte("package main\n\nvar mark string\n\nfunc main() { println(mark) }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	first := filepath.Join(dir, pack.Launcher+".exe")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w -X main.mark=ssm-setup-"+"version="+version, "-o", first, source)
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH="+arch, "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{pack.Worker, pack.Carrier, pack.Setup} {
		if err := os.WriteFile(filepath.Join(dir, name+".exe"), b, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// built makes all packages for a platform from given programs and returns them by format.
func built(t *testing.T, bin string, p pack.Platform, version string, signing pack.Signing, names ...string) map[string][]byte {
	t.Helper()
	formats, err := pack.ParseFormats(names)
	if err != nil {
		t.Fatal(err)
	}
	plan := build.Plan{Version: manifests.MustVersion(version), Platforms: []pack.Platform{p}, Formats: formats, Bin: bin, Out: t.TempDir(),
		Time: time.Unix(1700000000, 0), Signing: signing}
	if _, err := build.Build(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, f := range formats {
		if all[f.Name], err = os.ReadFile(filepath.Join(plan.Dir(), f.File(p))); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// Every program for Windows states its version, on its own and in every package, and the tables repeat what the file says; the
// programs that were given stay as they are.
func TestProgramsSayWhatTheyAre(t *testing.T) {
	for _, arch := range []string{"amd64", "386"} {
		bin := programsOf(t, arch, "9.1.7.0")
		given, _ := os.ReadFile(filepath.Join(bin, pack.Worker+".exe"))
		all := built(t, bin, windowsOn(arch), "9.1.7.0", pack.Signing{}, "msi", "exe", "tar", "setup")
		if now, _ := os.ReadFile(filepath.Join(bin, pack.Worker+".exe")); !bytes.Equal(given, now) {
			t.Error("a given program was changed")
		}
		d, err := msi.Open(bytes.NewReader(all["msi"]), int64(len(all["msi"])))
		if err != nil {
			t.Fatal(err)
		}
		files, err := cab.Read(d.Stream("agent.cab"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files[:2] {
			says(t, f.Data, "9.1.7.0", "asInvoker")
		}
		for _, r := range d.Table("File").Rows {
			program := strings.HasSuffix(r[0].(string), ".exe")
			if program && (r[4] != "9.1.7.0" || r[5] != "1033") || !program && (r[4] != nil || r[5] != nil) {
				t.Errorf("%s: version %v, language %v", r[0], r[4], r[5])
			}
		}
		says(t, all["exe"], "9.1.7.0", "requireAdministrator")
		says(t, all["setup"], "9.1.7.0", "asInvoker")
		z, err := zip.NewReader(bytes.NewReader(all["tar"]), int64(len(all["tar"])))
		if err != nil {
			t.Fatal(err)
		}
		f, err := z.Open(pack.Worker + ".exe")
		if err != nil {
			t.Fatal(err)
		}
		inZip, _ := io.ReadAll(f)
		if !bytes.Equal(inZip, files[1].Data) {
			t.Error("the zip and the msi have different programs")
		}
		for name, b := range built(t, bin, windowsOn(arch), "9.1.7.0", pack.Signing{}, "msi", "exe") {
			if sha256.Sum256(b) != sha256.Sum256(all[name]) {
				t.Errorf("%s: the same programs give other bytes", name)
			}
		}
	}
}

func says(t *testing.T, program []byte, version, level string) {
	t.Helper()
	v, language, err := resource.Read(bytes.NewReader(program))
	if err != nil || v != [4]uint16{9, 1, 7, 0} || language != 1033 {
		t.Errorf("it says %v in %d, %v", v, language, err)
	}
	if !bytes.Contains(program, []byte(`requestedExecutionLevel level="`+level+`"`)) {
		t.Errorf("it does not run as %s", level)
	}
}

// A program is described before it is signed, and one that is signed already is packed as it is.
func TestAProgramIsDescribedBeforeItIsSigned(t *testing.T) {
	bin := programsOf(t, "amd64", "9.1.7.0")
	signing := pack.Signing{Authenticode: func(path string) error {
		b, err := os.ReadFile(path)
		if err != nil || !strings.HasSuffix(path, ".exe") { // a package on its way to its name
			return err
		}
		if _, _, err := resource.Read(bytes.NewReader(b)); err != nil {
			t.Errorf("%s is signed before it is described: %v", path, err)
		}
		return os.WriteFile(path, append(b, "signed"...), 0o700)
	}}
	all := built(t, bin, windowsOn("amd64"), "9.1.7.0", signing, "msi", "exe")
	pkg, err := setupexe.Read(bytes.NewReader(all["exe"]), int64(len(all["exe"])))
	if err != nil || !bytes.Equal(pkg, all["msi"]) {
		t.Errorf("the installer carries %d bytes, %v", len(pkg), err)
	}
	d, err := msi.Open(bytes.NewReader(all["msi"]), int64(len(all["msi"])))
	if err != nil {
		t.Fatal(err)
	}
	files, err := cab.Read(d.Stream("agent.cab"))
	if err != nil || !bytes.HasSuffix(files[0].Data, []byte("signed")) {
		t.Errorf("the launcher is not signed: %v", err)
	}
}
