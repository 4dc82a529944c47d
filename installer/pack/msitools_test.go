//go:build integration

package pack_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/build"
	"github.com/ssm-setup/ssm-setup/installer/container/msi"
	"github.com/ssm-setup/ssm-setup/installer/pack"
)

// Another reader sees the same tables, summary and files.
func TestMsitoolsReadTheSameTables(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64", "386"} {
		in := input(t, windowsOn(arch))
		dir := t.TempDir()
		file := filepath.Join(dir, "x.msi")
		b := make1(t, "msi", in)
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		d, err := msi.Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range d.Tables {
			if got, want := exported(t, file, table.Name), rows(d, table.Name); !slices.Equal(got, want) {
				t.Errorf("%s %s: got\n%s\nwant\n%s", arch, table.Name, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
		info := said(t, "msiinfo", "suminfo", file)
		for _, line := range []string{"Template: " + d.Summary.Template, d.Summary.PackageCode, "Version: 500 (1f4)", "Source: 2 (2)"} {
			if !strings.Contains(info, line) {
				t.Errorf("no %q in\n%s", line, info)
			}
		}
		out := filepath.Join(dir, "out")
		said(t, "msiextract", "-C", out, file)
		for _, name := range []string{pack.Launcher, pack.Worker} {
			found, _ := filepath.Glob(filepath.Join(out, "*", "SSM", name+".exe"))
			if len(found) == 0 {
				found, _ = filepath.Glob(filepath.Join(out, "*", "*", "SSM", name+".exe"))
			}
			if len(found) != 1 {
				t.Fatalf("%s: %v", name, found)
			}
			if got, _ := os.ReadFile(found[0]); string(got) != "program "+name {
				t.Errorf("%s: %q", name, got)
			}
		}
		dumped(t, d, file)
	}
}

// dumped compares what msidump writes of all tables and streams; 7z finds every checksum of the cabinet good.
func dumped(t *testing.T, d *msi.Database, file string) {
	t.Helper()
	dir := t.TempDir()
	said(t, "msidump", "-t", "-s", "-d", dir, file)
	list, err := filepath.Glob(filepath.Join(dir, "*.idt"))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, path := range list {
		name := strings.TrimSuffix(filepath.Base(path), ".idt")
		table := d.Table(name)
		if table == nil {
			if !strings.HasPrefix(name, "_") {
				t.Errorf("msidump sees a table %s", name)
			}
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := idt(string(text)), rows(d, name); !slices.Equal(got, want) {
			t.Errorf("msidump %s: got\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		seen++
	}
	if seen != len(d.Tables) {
		t.Errorf("msidump sees %d tables of %d: %v", seen, len(d.Tables), list)
	}
	found, _ := filepath.Glob(filepath.Join(dir, "*", "agent.cab"))
	if len(found) == 0 {
		found, _ = filepath.Glob(filepath.Join(dir, "agent.cab"))
	}
	if len(found) != 1 {
		t.Fatalf("cabinets: %v", found)
	}
	if b, err := os.ReadFile(found[0]); err != nil || !bytes.Equal(b, d.Stream("agent.cab")) {
		t.Errorf("the cabinet has %d bytes, %v", len(b), err)
	}
	if out := said(t, "7z", "t", "-y", "-tcab", found[0]); !strings.Contains(out, "Everything is Ok") {
		t.Error(out)
	}
}

// exported are the rows that msiinfo prints, in the form of rows.
func exported(t *testing.T, file, table string) []string {
	t.Helper()
	return idt(said(t, "msiinfo", "export", file, table))
}

// idt are the rows of a table's text: names, types and keys come first.
func idt(text string) (out []string) {
	lines := strings.Split(strings.TrimSuffix(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), "\n")
	for _, line := range lines[3:] {
		out = append(out, strings.TrimRight(strings.ReplaceAll(line, "\t", " | "), " |"))
	}
	slices.Sort(out)
	return out
}

func said(t testing.TB, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	var fault bytes.Buffer
	cmd.Stderr = &fault
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, fault.String())
	}
	return string(out)
}

// BenchmarkMSI and BenchmarkWixl make an installer of the same files: programs as go build makes them. Bytes are reported, too.
func BenchmarkMSI(b *testing.B) {
	in, dir := benchInput(b), b.TempDir()
	var size int64
	for b.Loop() {
		a, err := pack.Make(formatB(b, "msi"), in, dir)
		if err != nil {
			b.Fatal(err)
		}
		size = a.Size
	}
	b.ReportMetric(float64(size), "bytes")
}

func BenchmarkWixl(b *testing.B) {
	in, dir := benchInput(b), b.TempDir()
	var files, refs strings.Builder
	for i, name := range []string{pack.Launcher, pack.Worker} {
		fmt.Fprintf(&files, `<Component Id="C%d" Guid="{0000000%d-1111-4111-8111-111111111111}" Win64="yes"><File Id="F%d" Source="%s" KeyPath="yes"/></Component>`,
			i, i, i, name+".exe")
		fmt.Fprintf(&refs, `<ComponentRef Id="C%d"/>`, i)
	}
	source := filepath.Join(in.Bin, "x.wxs")
	wxs := `<?xml version="1.0"?><Wix xmlns="http://schemas.microsoft.com/wix/2006/wi"><Product Id="*" Name="x"
Language="1033" Version="9.1.0" Manufacturer="m" UpgradeCode="{22222222-1111-4111-8111-111111111111}">
<Package InstallerVersion="500" Compressed="yes"/><Media Id="1" Cabinet="a.cab" EmbedCab="yes"/>
<Directory Id="TARGETDIR" Name="SourceDir">
<Directory Id="ProgramFiles64Folder"><Directory Id="A" Name="Amazon">` + files.String() + `</Directory></Directory></Directory>
<Feature Id="F" Level="1">` + refs.String() + `</Feature></Product></Wix>`
	if err := os.WriteFile(source, []byte(wxs), 0o600); err != nil {
		b.Fatal(err)
	}
	out := filepath.Join(dir, "x.msi")
	for b.Loop() {
		said(b, "sh", "-c", "cd "+in.Bin+" && wixl -a x64 -o "+out+" x.wxs")
	}
	info, err := os.Stat(out)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size()), "bytes")
}

func formatB(b *testing.B, name string) pack.Format {
	list, err := pack.ParseFormats([]string{name})
	if err != nil {
		b.Fatal(err)
	}
	return list[0]
}

func benchInput(b *testing.B) pack.Input {
	b.Helper()
	in := pack.Input{Version: build.First, Platform: windowsOn("amd64"), Bin: b.TempDir(), Time: time.Unix(1700000000, 0)}
	if err := build.Compile(b.Context(), "../..", in.Version, in.Platform, []string{pack.Launcher, pack.Worker}, in.Bin,
		&bytes.Buffer{}); err != nil {
		b.Fatal(err)
	}
	return in
}
