package pack_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ulikunitz/xz"

	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/manifests"
)

var amd64 = pack.Platform{OS: "linux", Arch: "amd64"}

// input has programs that are no programs: packing does not look at them.
func input(t *testing.T, p pack.Platform) pack.Input {
	t.Helper()
	bin := t.TempDir()
	for _, name := range []string{pack.Launcher, pack.Worker, pack.Setup, pack.Carrier} {
		if err := os.WriteFile(filepath.Join(bin, p.Executable(name)), []byte("program "+name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return pack.Input{Version: manifests.MustVersion("9.1.0.0"), Platform: p, Bin: bin, Time: time.Unix(1700000000, 0)}
}

func format(t *testing.T, name string) pack.Format {
	t.Helper()
	list, err := pack.ParseFormats([]string{name})
	if err != nil {
		t.Fatal(err)
	}
	return list[0]
}

func make1(t *testing.T, name string, in pack.Input) []byte {
	t.Helper()
	dir := t.TempDir()
	a, err := pack.Make(format(t, name), in, dir)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, a.File))
	if err != nil || int64(len(b)) != a.Size {
		t.Fatalf("%d bytes, %d stated, %v", len(b), a.Size, err)
	}
	return b
}

// members reads an ar archive.
func members(t *testing.T, b []byte) (names []string, data map[string][]byte) {
	t.Helper()
	const magic = "!<arch>\n"
	if !bytes.HasPrefix(b, []byte(magic)) {
		t.Fatal("no ar archive")
	}
	data = map[string][]byte{}
	for b = b[len(magic):]; len(b) >= 60; {
		name := strings.TrimRight(string(b[:16]), " /")
		n, err := strconv.Atoi(strings.TrimSpace(string(b[48:58])))
		if err != nil {
			t.Fatal(err)
		}
		names, data[name] = append(names, name), b[60:60+n]
		b = b[60+n+n%2:]
	}
	return names, data
}

// listing reads a tar: one line per entry as `mode owner path [-> link]`, and the contents.
func listing(t *testing.T, r io.Reader) (lines []string, content map[string]string) {
	t.Helper()
	content = map[string]string{}
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if err == io.EOF {
			return lines, content
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.ModTime.Unix() != 1700000000 || h.Uid != 0 || h.Gid != 0 {
			t.Errorf("%s: time %v, owner %d:%d", h.Name, h.ModTime, h.Uid, h.Gid)
		}
		line := fmt.Sprintf("%04o %s:%s %s", h.Mode, h.Uname, h.Gname, strings.TrimPrefix(h.Name, "."))
		if h.Typeflag == tar.TypeSymlink {
			line += " -> " + h.Linkname
		}
		lines = append(lines, line)
		b, _ := io.ReadAll(tr)
		content[h.Name] = string(b)
	}
}

func golden(t *testing.T, got []string, want string) {
	t.Helper()
	if g, w := strings.Join(got, "\n"), strings.TrimSpace(want); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}

func TestADebHoldsTheFilesOfTheAgent(t *testing.T) {
	names, data := members(t, make1(t, "deb", input(t, amd64)))
	if strings.Join(names, " ") != "debian-binary control.tar.gz data.tar.xz" || string(data["debian-binary"]) != "2.0\n" {
		t.Fatalf("members %v", names)
	}
	z, err := xz.NewReader(bytes.NewReader(data["data.tar.xz"]))
	if err != nil {
		t.Fatal(err)
	}
	lines, content := listing(t, z)
	golden(t, lines, `
0755 root:root /etc/
0755 root:root /etc/amazon/
0755 root:root /etc/amazon/ssm/
0644 root:root /etc/amazon/ssm/NOTICE.md
0644 root:root /etc/amazon/ssm/README.md
0644 root:root /etc/amazon/ssm/RELEASENOTES.md
0644 root:root /etc/amazon/ssm/amazon-ssm-agent.json.template
0644 root:root /etc/amazon/ssm/seelog.xml.template
0755 root:root /etc/init/
0644 root:root /etc/init/amazon-ssm-agent.conf
0755 root:root /lib/
0755 root:root /lib/systemd/
0755 root:root /lib/systemd/system/
0644 root:root /lib/systemd/system/amazon-ssm-agent.service
0755 root:root /lib/systemd/system/amazon-ssm-agent.service.d/
0644 root:root /lib/systemd/system/amazon-ssm-agent.service.d/ssm-setup.conf
0755 root:root /usr/
0755 root:root /usr/bin/
0755 root:root /usr/bin/amazon-ssm-agent
0755 root:root /usr/bin/ssm-agent-worker
0777 root:root /usr/bin/ssm-cli -> amazon-ssm-agent
0777 root:root /usr/bin/ssm-document-worker -> amazon-ssm-agent
0777 root:root /usr/bin/ssm-session-logger -> amazon-ssm-agent
0777 root:root /usr/bin/ssm-session-worker -> amazon-ssm-agent
0755 root:root /usr/share/
0755 root:root /usr/share/doc/
0755 root:root /usr/share/doc/amazon-ssm-agent/
0644 root:root /usr/share/doc/amazon-ssm-agent/changelog.Debian.gz
0644 root:root /usr/share/doc/amazon-ssm-agent/changelog.gz
0644 root:root /usr/share/doc/amazon-ssm-agent/copyright
0755 root:root /usr/share/lintian/
0755 root:root /usr/share/lintian/overrides/
0644 root:root /usr/share/lintian/overrides/amazon-ssm-agent
`)
	if got := content["./etc/amazon/ssm/RELEASENOTES.md"]; !strings.HasPrefix(got, "9.1.0.0\n") {
		t.Errorf("the first line of the release notes is not the version: %q", got)
	}
	if got := content["./usr/bin/ssm-agent-worker"]; got != "program ssm-agent-worker" {
		t.Errorf("worker: %q", got)
	}
}

func TestADebNamesItsArchitectureAsDebianDoes(t *testing.T) {
	for arch, want := range map[string]string{"amd64": "amd64", "arm64": "arm64", "386": "i386", "arm": "armhf"} {
		_, data := members(t, make1(t, "deb", input(t, pack.Platform{OS: "linux", Arch: arch})))
		z, err := gzip.NewReader(bytes.NewReader(data["control.tar.gz"]))
		if err != nil {
			t.Fatal(err)
		}
		_, control := listing(t, z)
		for _, line := range []string{"Package: amazon-ssm-agent", "Version: 9.1.0.0-1", "Architecture: " + want, "Section: admin",
			"Priority: optional"} {
			if !strings.Contains(control["./control"], line+"\n") {
				t.Errorf("no %q in\n%s", line, control["./control"])
			}
		}
		if got := control["./conffiles"]; got != "/etc/init/amazon-ssm-agent.conf\n/lib/systemd/system/amazon-ssm-agent.service\n" {
			t.Errorf("conffiles %q", got)
		}
		for _, name := range []string{"./preinst", "./postinst", "./prerm", "./postrm"} {
			if !strings.HasPrefix(control[name], "#!/bin/sh\nset -e\n") {
				t.Errorf("%s begins with %.20q", name, control[name])
			}
		}
	}
}

// The unit is the original's (docs/protocol/update.md, "Service definitions"), so that an edited one stays valid.
func TestTheUnitIsTheOriginals(t *testing.T) {
	_, data := members(t, make1(t, "deb", input(t, amd64)))
	z, _ := xz.NewReader(bytes.NewReader(data["data.tar.xz"]))
	_, content := listing(t, z)
	unit := content["./lib/systemd/system/amazon-ssm-agent.service"]
	for _, line := range []string{"Description=amazon-ssm-agent", "After=network-online.target", "Type=simple", "WorkingDirectory=/usr/bin/",
		"ExecStart=/usr/bin/amazon-ssm-agent", "KillMode=process", "Restart=always", "RestartPreventExitStatus=194", "RestartSec=90",
		"WantedBy=multi-user.target"} {
		if !strings.Contains(unit, line+"\n") {
			t.Errorf("no %q in the unit", line)
		}
	}
	if n := strings.Count(unit, "="); n != 10 {
		t.Errorf("the unit has %d settings, 10 expected", n)
	}
	ours := content["./lib/systemd/system/amazon-ssm-agent.service.d/ssm-setup.conf"]
	for _, line := range []string{"[Unit]\nStartLimitIntervalSec=0", "[Service]\nRestartSec=1\nOOMPolicy=continue"} {
		if !strings.Contains(ours, line) {
			t.Errorf("no %q in the drop-in", line)
		}
	}
}

func TestThePortableArchiveIsFlat(t *testing.T) {
	z, err := gzip.NewReader(bytes.NewReader(make1(t, "tar", input(t, amd64))))
	if err != nil {
		t.Fatal(err)
	}
	lines, _ := listing(t, z)
	golden(t, lines, `
0755 root:root amazon-ssm-agent
0755 root:root ssm-agent-worker
0644 root:root amazon-ssm-agent.json.template
0644 root:root seelog.xml.template
0644 root:root RELEASENOTES.md
0644 root:root README.md
0644 root:root NOTICE.md
0644 root:root LICENSE
`)
}

// Folder, file times and modes of the binaries, and the moment must not show in the bytes.
func TestTheSameInputGivesTheSameBytes(t *testing.T) {
	for _, f := range pack.Formats() {
		for _, p := range pack.Platforms() {
			if f.File(p) == "" {
				continue
			}
			first := make1(t, f.Name, input(t, p))
			in := input(t, p)
			os.Chmod(filepath.Join(in.Bin, p.Executable(pack.Launcher)), 0o777)
			os.Chtimes(filepath.Join(in.Bin, p.Executable(pack.Worker)), time.Unix(1, 0), time.Unix(1, 0))
			t.Setenv("TMPDIR", t.TempDir())
			t.Setenv("SOURCE_DATE_EPOCH", "5")
			if !bytes.Equal(first, make1(t, f.Name, in)) {
				t.Errorf("%s for %s differs", f.Name, p)
			}
		}
	}
}

func TestWrongWordsAreRefused(t *testing.T) {
	if _, err := pack.ParsePlatform("linux/amd64"); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "linux", "linux/mips", "amd64/linux"} {
		if _, err := pack.ParsePlatform(bad); err == nil {
			t.Errorf("platform %q passed", bad)
		}
	}
	if _, err := pack.ParseFormats([]string{"deb", "cab"}); err == nil || !strings.Contains(err.Error(), "deb, rpm, ") {
		t.Errorf("format cab: %v", err)
	}
}

func TestPackagesBringTheManualAndCompletionAlong(t *testing.T) {
	in := input(t, amd64)
	in.Manual = pack.Manual{Page: []byte(".TH X 1\n"), Bash: []byte("# bash\n"), Zsh: []byte("#compdef x\n"), Fish: []byte("# fish\n")}
	_, data := members(t, make1(t, "deb", in))
	z, err := xz.NewReader(bytes.NewReader(data["data.tar.xz"]))
	if err != nil {
		t.Fatal(err)
	}
	lines, content := listing(t, z)
	for _, path := range []string{"/usr/share/man/man1/ssm-setup.1.gz", "/usr/share/bash-completion/completions/ssm-setup",
		"/usr/share/zsh/vendor-completions/_ssm-setup", "/usr/share/fish/vendor_completions.d/ssm-setup.fish"} {
		if !slices.Contains(lines, "0644 root:root "+path) {
			t.Errorf("no %s", path)
		}
	}
	found := false
	for name, text := range content {
		found = found || strings.HasSuffix(name, "completions/ssm-setup") && text == "# bash\n"
	}
	if !found {
		t.Errorf("no completion of bash in %v", slices.Sorted(maps.Keys(content)))
	}
}
