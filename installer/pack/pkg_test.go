package pack_test

import (
	"bytes"
	"compress/gzip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/container/bom"
	"github.com/ssm-setup/ssm-setup/installer/container/cpio"
	"github.com/ssm-setup/ssm-setup/installer/container/xar"
	"github.com/ssm-setup/ssm-setup/installer/pack"
)

var (
	macIntel     = pack.Platform{OS: "darwin", Arch: "amd64"}
	macApple     = pack.Platform{OS: "darwin", Arch: "arm64"}
	macUniversal = pack.Platform{OS: "darwin", Arch: "universal"}
)

// unpacked is a macOS package taken apart.
type unpacked struct {
	names   []string          // of the outer archive
	outer   map[string][]byte // its files
	lines   []string          // of the payload, as listing has them
	entries []cpio.Entry
	content map[string]string
}

func unpackPkg(t *testing.T, b []byte) unpacked {
	t.Helper()
	r, err := xar.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	u := unpacked{outer: map[string][]byte{}, content: map[string]string{}}
	for _, e := range r.Files {
		if u.outer[e.Name], err = r.Read(e, 1<<30); err != nil {
			t.Fatal(err)
		}
		u.names = append(u.names, fmt.Sprintf("%s %d:%d %s", e.Mode, e.UID, e.GID, e.Name))
		if e.Time.Unix() != 1700000000 {
			t.Errorf("%s has the time %s", e.Name, e.Time)
		}
	}
	u.entries, u.content = archive(t, u.outer["amazon-ssm-agent.pkg/Payload"])
	for _, e := range u.entries {
		line := fmt.Sprintf("%s %d:%d %s", e.Mode, e.UID, e.GID, e.Name)
		if e.Mode.Type() == os.ModeSymlink {
			line += " -> " + u.content[e.Name]
		}
		u.lines = append(u.lines, line)
	}
	return u
}

// archive reads a compressed cpio.
func archive(t *testing.T, b []byte) (entries []cpio.Entry, content map[string]string) {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	content = map[string]string{}
	for r := cpio.NewReader(z); ; {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return entries, content
		}
		if err != nil {
			t.Fatal(err)
		}
		if e.Time.Unix() != 1700000000 {
			t.Errorf("%s has the time %s", e.Name, e.Time)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		entries, content[e.Name] = append(entries, e), string(data)
	}
}

func TestAPkgHoldsTheFilesOfTheAgent(t *testing.T) {
	for _, p := range []pack.Platform{macIntel, macApple, macUniversal} {
		u := unpackPkg(t, make1(t, "pkg", input(t, p)))
		golden(t, u.names, `
-rw-r--r-- 0:0 Distribution
drwxr-xr-x 0:0 amazon-ssm-agent.pkg
-rw-r--r-- 0:0 amazon-ssm-agent.pkg/Bom
-rw-r--r-- 0:0 amazon-ssm-agent.pkg/Payload
-rw-r--r-- 0:0 amazon-ssm-agent.pkg/Scripts
-rw-r--r-- 0:0 amazon-ssm-agent.pkg/PackageInfo
`)
		golden(t, u.lines, `
drwxr-xr-x 0:0 .
drwxr-xr-x 0:0 ./Library
drwxr-xr-x 0:0 ./Library/LaunchDaemons
-rw------- 0:0 ./Library/LaunchDaemons/com.amazon.aws.ssm.plist
drwxr-xr-x 0:0 ./opt
drwxr-xr-x 0:0 ./opt/aws
drwxr-xr-x 0:0 ./opt/aws/ssm
-rw-r--r-- 0:0 ./opt/aws/ssm/NOTICE.md
-rw-r--r-- 0:0 ./opt/aws/ssm/README.md
-rw-r--r-- 0:0 ./opt/aws/ssm/RELEASENOTES.md
-rw-r--r-- 0:0 ./opt/aws/ssm/amazon-ssm-agent.json.template
drwxr-xr-x 0:0 ./opt/aws/ssm/bin
-rwxr-xr-x 0:0 ./opt/aws/ssm/bin/amazon-ssm-agent
-rwxr-xr-x 0:0 ./opt/aws/ssm/bin/ssm-agent-worker
Lrwxr-xr-x 0:0 ./opt/aws/ssm/bin/ssm-cli -> amazon-ssm-agent
Lrwxr-xr-x 0:0 ./opt/aws/ssm/bin/ssm-document-worker -> amazon-ssm-agent
Lrwxr-xr-x 0:0 ./opt/aws/ssm/bin/ssm-session-logger -> amazon-ssm-agent
Lrwxr-xr-x 0:0 ./opt/aws/ssm/bin/ssm-session-worker -> amazon-ssm-agent
-rw-r--r-- 0:0 ./opt/aws/ssm/seelog.xml.template
`)
		if got := u.content["./opt/aws/ssm/bin/ssm-agent-worker"]; got != "program ssm-agent-worker" {
			t.Errorf("worker: %q", got)
		}
	}
}

// The manual and what shells complete lie where macOS and its shells look for them.
func TestAPkgBringsTheManualAndCompletionAlong(t *testing.T) {
	in := input(t, macApple)
	in.Manual = pack.Manual{Page: []byte(".TH X 1\n"), Bash: []byte("# bash\n"), Zsh: []byte("#compdef x\n"), Fish: []byte("# fish\n")}
	u := unpackPkg(t, make1(t, "pkg", in))
	for path, want := range map[string]string{"man/man1/ssm-setup.1.gz": "", "bash-completion/completions/ssm-setup": "# bash\n",
		"zsh/site-functions/_ssm-setup": "#compdef x\n", "fish/vendor_completions.d/ssm-setup.fish": "# fish\n"} {
		path = "./opt/aws/ssm/share/" + path // where man looks for what lies in /opt/aws/ssm/bin
		if !slices.Contains(u.lines, "-rw-r--r-- 0:0 "+path) || want != "" && u.content[path] != want {
			t.Errorf("%s: %q in %q", path, u.content[path], u.lines)
		}
	}
}

// The bill says of every path of the payload what the payload has.
func TestTheBillOfAPkgAgreesWithItsPayload(t *testing.T) {
	u := unpackPkg(t, make1(t, "pkg", input(t, macApple)))
	bill, err := bom.Read(u.outer["amazon-ssm-agent.pkg/Bom"])
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(bill, func(a, b bom.Entry) int { return strings.Compare(a.Path, b.Path) })
	if len(bill) != len(u.entries) {
		t.Fatalf("%d lines for %d entries", len(bill), len(u.entries))
	}
	for i, e := range u.entries {
		want := bom.Entry{Path: e.Name, Mode: e.Mode, Time: e.Time, Size: e.Size}
		if !e.Mode.IsDir() {
			want.Sum = sumOf([]byte(u.content[e.Name]))
		}
		if e.Mode.Type() == os.ModeSymlink {
			want.Link = u.content[e.Name]
		}
		if bill[i] != want {
			t.Errorf("got %+v, want %+v", bill[i], want)
		}
	}
}

func TestAPkgStatesItsArchitecturesAndVersion(t *testing.T) {
	for p, architectures := range map[pack.Platform]string{macIntel: "x86_64", macApple: "arm64", macUniversal: "arm64,x86_64"} {
		u := unpackPkg(t, make1(t, "pkg", input(t, p)))
		var distribution struct {
			XMLName xml.Name `xml:"installer-gui-script"`
			Options struct {
				Host string `xml:"hostArchitectures,attr"`
			} `xml:"options"`
			Minimum []struct {
				Min string `xml:"min,attr"`
			} `xml:"volume-check>allowed-os-versions>os-version"`
			Product struct {
				ID      string `xml:"id,attr"`
				Version string `xml:"version,attr"`
			} `xml:"product"`
			Refs []struct {
				ID      string `xml:"id,attr"`
				Version string `xml:"version,attr"`
				File    string `xml:",chardata"`
			} `xml:"pkg-ref"`
		}
		if err := xml.Unmarshal(u.outer["Distribution"], &distribution); err != nil {
			t.Fatal(err)
		}
		d := distribution
		if d.Options.Host != architectures || len(d.Minimum) != 1 || d.Minimum[0].Min != "12.0" || d.Product.ID != "com.amazon.aws.ssm" ||
			d.Product.Version != "9.1.0.0" || len(d.Refs) != 1 || d.Refs[0].ID != d.Product.ID || d.Refs[0].File != "#amazon-ssm-agent.pkg" ||
			d.Refs[0].Version != "9.1.0.0" {
			t.Errorf("%s: %+v", p, d)
		}
		var info struct {
			XMLName    xml.Name `xml:"pkg-info"`
			Identifier string   `xml:"identifier,attr"`
			Version    string   `xml:"version,attr"`
			Location   string   `xml:"install-location,attr"`
			Auth       string   `xml:"auth,attr"`
			Payload    struct {
				Files     int   `xml:"numberOfFiles,attr"`
				Kilobytes int64 `xml:"installKBytes,attr"`
			} `xml:"payload"`
			Pre struct {
				File string `xml:"file,attr"`
			} `xml:"scripts>preinstall"`
			Post struct {
				File string `xml:"file,attr"`
			} `xml:"scripts>postinstall"`
		}
		if err := xml.Unmarshal(u.outer["amazon-ssm-agent.pkg/PackageInfo"], &info); err != nil {
			t.Fatal(err)
		}
		var size int64
		for _, e := range u.entries {
			size += e.Size
		}
		if info.Identifier != "com.amazon.aws.ssm" || info.Version != "9.1.0.0" || info.Location != "/" || info.Auth != "root" ||
			info.Payload.Files != len(u.entries) || info.Payload.Kilobytes != (size+1023)/1024 || info.Pre.File != "./preinstall" ||
			info.Post.File != "./postinstall" {
			t.Errorf("%s: %+v", p, info)
		}
		entries, scripts := archive(t, u.outer["amazon-ssm-agent.pkg/Scripts"])
		if len(entries) != 3 || entries[1].Mode != 0o755 || entries[2].Mode != 0o755 {
			t.Errorf("scripts: %+v", entries)
		}
		for _, name := range []string{"./preinstall", "./postinstall"} {
			if !strings.HasPrefix(scripts[name], "#!/bin/sh\n") {
				t.Errorf("%s begins with %.20q", name, scripts[name])
			}
		}
	}
}

// The launchd job is the original's (docs/protocol/update.md, "macOS packages"), so that an edited one stays valid.
func TestTheLaunchdJobIsTheOriginals(t *testing.T) {
	u := unpackPkg(t, make1(t, "pkg", input(t, macApple)))
	var job struct {
		Keys     []string `xml:"dict>key"`
		Strings  []string `xml:"dict>string"`
		Programs []string `xml:"dict>array>string"`
		True     []string `xml:"dict>true"`
	}
	plist := u.content["./Library/LaunchDaemons/com.amazon.aws.ssm.plist"]
	if err := xml.Unmarshal([]byte(plist), &job); err != nil {
		t.Fatal(err)
	}
	if strings.Join(job.Keys, " ") != "Label UserName ProgramArguments RunAtLoad KeepAlive" ||
		strings.Join(job.Strings, " ") != "com.amazon.aws.ssm root" ||
		strings.Join(job.Programs, " ") != "/opt/aws/ssm/bin/amazon-ssm-agent" || len(job.True) != 2 {
		t.Errorf("%+v", job)
	}
	if !strings.Contains(plist, "AWS_SHARED_CREDENTIALS_FILE") {
		t.Error("no example of another credentials file")
	}
}

// The archive for original updaters on macOS holds one that unpacks at / with what the package has, and the two scripts.
func TestAnUpdateForMacOSHoldsWhatThePkgHas(t *testing.T) {
	z, err := gzip.NewReader(bytes.NewReader(make1(t, "update", input(t, macApple))))
	if err != nil {
		t.Fatal(err)
	}
	lines, content := listing(t, z)
	golden(t, lines, `
0644 root:root amazon-ssm-agent.tar.gz
0755 root:root install.sh
0755 root:root uninstall.sh
`)
	inner, err := gzip.NewReader(strings.NewReader(content["amazon-ssm-agent.tar.gz"]))
	if err != nil {
		t.Fatal(err)
	}
	lines, _ = listing(t, inner)
	golden(t, lines, `
0755 root:root /Library/
0755 root:root /Library/LaunchDaemons/
0600 root:root /Library/LaunchDaemons/com.amazon.aws.ssm.plist
0755 root:root /opt/
0755 root:root /opt/aws/
0755 root:root /opt/aws/ssm/
0644 root:root /opt/aws/ssm/NOTICE.md
0644 root:root /opt/aws/ssm/README.md
0644 root:root /opt/aws/ssm/RELEASENOTES.md
0644 root:root /opt/aws/ssm/amazon-ssm-agent.json.template
0755 root:root /opt/aws/ssm/bin/
0755 root:root /opt/aws/ssm/bin/amazon-ssm-agent
0755 root:root /opt/aws/ssm/bin/ssm-agent-worker
0777 root:root /opt/aws/ssm/bin/ssm-cli -> amazon-ssm-agent
0777 root:root /opt/aws/ssm/bin/ssm-document-worker -> amazon-ssm-agent
0777 root:root /opt/aws/ssm/bin/ssm-session-logger -> amazon-ssm-agent
0777 root:root /opt/aws/ssm/bin/ssm-session-worker -> amazon-ssm-agent
0644 root:root /opt/aws/ssm/seelog.xml.template
`)
}

// sumOf is the POSIX cksum of some bytes.
func sumOf(b []byte) uint32 {
	s := bom.NewSum()
	_, _ = s.Write(b) // a hash takes everything
	return s.Sum32()
}
