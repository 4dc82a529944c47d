//go:build unix && integration

package story_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The figures of packages: each is made once by ssm-setup from given programs, and once by the system's own tool from the files
// of the former. Whole processes are timed, bytes are reported.

// packed is one made by ssm-setup, and its files in a folder.
type packed struct {
	b                *testing.B
	bin, file, files string
}

// unpacked makes a package of Go programs for a platform and takes it apart again with a tool of others.
func unpacked(b *testing.B, platform, format string, apart func(file, dir string) []string) packed {
	b.Helper()
	p := packed{b: b, bin: b.TempDir(), files: b.TempDir()}
	system, arch, _ := strings.Cut(platform, "/")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -X github.com/ssm-setup/ssm-setup/installer/stamp.mark=ssm-setup-version=9.1.0.0",
		"-o", p.bin+"/", "./cmd/amazon-ssm-agent", "./cmd/ssm-agent-worker")
	cmd.Dir, cmd.Env = "../..", append(os.Environ(), "GOOS="+system, "GOARCH="+arch)
	p.run(cmd)
	p.file = p.build(platform, format)
	p.tool(apart(p.file, p.files)...)
	return p
}

func (p packed) run(cmd *exec.Cmd) {
	p.b.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		p.b.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
}

func (p packed) tool(args ...string) {
	p.b.Helper()
	p.run(exec.Command(args[0], args[1:]...))
}

// build is the whole process of ssm-setup; it returns the package's path.
func (p packed) build(platform, format string) string {
	p.b.Helper()
	out := p.b.TempDir()
	p.tool(filepath.Join(built, "bin", "ssm-setup"), "build", "--bin", p.bin, "--platform", platform, "--only", format, "--out", out)
	found, err := filepath.Glob(filepath.Join(out, "*", "*."+format))
	if err != nil || len(found) != 1 {
		p.b.Fatalf("%s: %v, %v", format, found, err)
	}
	return found[0]
}

// size reports a file's bytes.
func (p packed) size(file string) {
	p.b.Helper()
	info, err := os.Stat(file)
	if err != nil {
		p.b.Fatal(err)
	}
	p.b.ReportMetric(float64(info.Size()), "bytes")
}

// each calls with the path of every file below the folder, from its root.
func (p packed) each(do func(path string)) {
	p.b.Helper()
	err := filepath.WalkDir(p.files, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.Contains(path, "/DEBIAN/") {
			do(strings.TrimPrefix(path, p.files))
		}
		return err
	})
	if err != nil {
		p.b.Fatal(err)
	}
}

// against runs both makers as sub-benchmarks.
func (p packed) against(platform, format, other string, make func(out string)) {
	p.b.Run(format+"/ssm-setup", func(b *testing.B) {
		q, file := p, ""
		q.b = b
		for b.Loop() {
			file = q.build(platform, format)
		}
		q.size(file)
	})
	p.b.Run(format+"/"+other, func(b *testing.B) {
		q, out := p, filepath.Join(b.TempDir(), "x."+format)
		q.b = b
		for b.Loop() {
			make(out)
		}
		q.size(out)
	})
}

func BenchmarkFigurePackages(b *testing.B) {
	deb := unpacked(b, "linux/amd64", "deb", func(file, dir string) []string { return []string{"dpkg-deb", "-R", file, dir + "/tree"} })
	deb.against("linux/amd64", "deb", "dpkg-deb", func(out string) {
		deb.tool("dpkg-deb", "--root-owner-group", "-Zxz", "-b", deb.files+"/tree", out)
	})
	rpm := unpacked(b, "linux/amd64", "rpm", func(file, dir string) []string { return []string{"bsdtar", "-xf", file, "-C", dir} })
	spec := rpm.spec()
	rpm.against("linux/amd64", "rpm", "rpmbuild", func(out string) {
		top := b.TempDir()
		rpm.tool("rpmbuild", "-bb", "--quiet", "--target", "x86_64", "--define", "_topdir "+top, "--define", "_binary_payload w6.xzdio", spec)
		made, _ := filepath.Glob(filepath.Join(top, "RPMS", "*", "*.rpm"))
		if len(made) != 1 {
			b.Fatalf("rpmbuild made %v", made)
		}
		rpm.tool("mv", made[0], out)
	})
	msi := unpacked(b, "windows/amd64", "msi", func(file, dir string) []string { return []string{"msiextract", "-C", dir, file} })
	wxs := msi.wxs()
	msi.against("windows/amd64", "msi", "wixl", func(out string) { msi.tool("env", "-C", msi.files, "wixl", "-a", "x64", "-o", out, wxs) })
}

// spec is what rpmbuild makes the same files a package by.
func (p packed) spec() string {
	p.b.Helper()
	var files strings.Builder
	p.each(func(path string) { fmt.Fprintf(&files, "%q\n", path) })
	text := "Name: amazon-ssm-agent\nVersion: 9.1.0.0\nRelease: 1\nSummary: agent\nLicense: Apache-2.0\n" +
		"%define __os_install_post %{nil}\n%define debug_package %{nil}\nAutoReqProv: no\n%description\nagent\n" +
		"%install\nmkdir -p %{buildroot}\ncp -a " + p.files + "/. %{buildroot}/\n%files\n" + files.String()
	return p.text("x.spec", text)
}

// wxs is what wixl makes the same files an installer by.
func (p packed) wxs() string {
	p.b.Helper()
	var files, refs strings.Builder
	n := 0
	p.each(func(path string) {
		fmt.Fprintf(&files, `<Component Id="C%d" Guid="{%08d-1111-4111-8111-111111111111}" Win64="yes"><File Id="F%d" Source="%s" KeyPath="yes"/></Component>`,
			n, n, n, strings.TrimPrefix(path, "/")) // it takes no absolute paths
		fmt.Fprintf(&refs, `<ComponentRef Id="C%d"/>`, n)
		n++
	})
	return p.text("x.wxs", `<?xml version="1.0"?><Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
<Product Id="*" Name="x" Language="1033" Version="9.1.0" Manufacturer="m" UpgradeCode="{22222222-1111-4111-8111-111111111111}">
<Package InstallerVersion="500" Compressed="yes"/><Media Id="1" Cabinet="a.cab" EmbedCab="yes"/>
<Directory Id="TARGETDIR" Name="SourceDir"><Directory Id="ProgramFiles64Folder">
<Directory Id="A" Name="Amazon">`+files.String()+`</Directory></Directory></Directory>
<Feature Id="F" Level="1">`+refs.String()+`</Feature></Product></Wix>`)
}

func (p packed) text(name, text string) string {
	p.b.Helper()
	path := filepath.Join(p.b.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		p.b.Fatal(err)
	}
	return path
}
