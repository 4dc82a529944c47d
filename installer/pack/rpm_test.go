package pack_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"

	"github.com/ssm-setup/ssm-setup/installer/pack"
)

// header is one header structure of an rpm: tag → values.
type header map[int]any

// readHeader reads an rpm header structure at the start of b and returns what follows it.
func readHeader(t *testing.T, b []byte) (header, []byte) {
	t.Helper()
	if !bytes.HasPrefix(b, []byte{0x8e, 0xad, 0xe8, 1}) {
		t.Fatalf("no header: % x", b[:8])
	}
	n, size := int(binary.BigEndian.Uint32(b[8:])), int(binary.BigEndian.Uint32(b[12:]))
	index, data := b[16:16+16*n], b[16+16*n:16+16*n+size]
	h := header{}
	for i := range n {
		e := index[16*i:]
		tag, kind := int(binary.BigEndian.Uint32(e)), binary.BigEndian.Uint32(e[4:])
		at, count := binary.BigEndian.Uint32(e[8:]), int(binary.BigEndian.Uint32(e[12:]))
		h[tag] = value(kind, data[at:], count)
	}
	return h, b[16+16*n+size:]
}

func value(kind uint32, b []byte, count int) any {
	switch kind {
	case 3:
		list := make([]int, count)
		for i := range list {
			list[i] = int(binary.BigEndian.Uint16(b[2*i:]))
		}
		return list
	case 4:
		list := make([]int, count)
		for i := range list {
			list[i] = int(binary.BigEndian.Uint32(b[4*i:]))
		}
		return list
	case 6, 8, 9:
		list := strings.SplitN(string(b), "\x00", count+1)
		return list[:count]
	}
	return nil
}

func (h header) text(tag int) string {
	if list, ok := h[tag].([]string); ok && len(list) > 0 {
		return list[0]
	}
	return ""
}

// Tags of the rpm format.
const (
	tagName, tagVersion, tagRelease, tagBuildHost, tagVendor, tagGroup, tagArch = 1000, 1001, 1002, 1007, 1011, 1016, 1022
	tagPre, tagPost, tagPreun, tagPostun, tagPretrans, tagPosttrans             = 1023, 1024, 1025, 1026, 1151, 1152
	tagModes, tagFlags, tagUser, tagLinks                                       = 1030, 1037, 1039, 1036
	tagRequireFlags, tagRequires, tagRequireVersion                             = 1048, 1049, 1050
	tagChangeTime, tagChangeName, tagChangeText                                 = 1080, 1081, 1082
	tagDirIndexes, tagBaseNames, tagDirNames, tagCompressor                     = 1116, 1117, 1118, 1125
)

func readRPM(t *testing.T, b []byte) (header, []byte) {
	t.Helper()
	if !bytes.HasPrefix(b, []byte{0xed, 0xab, 0xee, 0xdb}) {
		t.Fatal("no rpm")
	}
	_, rest := readHeader(t, b[96:])
	signature := len(b) - 96 - len(rest)
	return readHeader(t, rest[(8-signature%8)%8:])
}

func TestAnRPMHoldsTheFilesOfTheAgent(t *testing.T) {
	h, payload := readRPM(t, make1(t, "rpm", input(t, amd64)))
	host, _ := os.Hostname()
	for tag, want := range map[int]string{tagName: "amazon-ssm-agent", tagVersion: "9.1.0.0", tagRelease: "1", tagArch: "x86_64",
		tagGroup: "Amazon/Tools", tagCompressor: "xz", tagBuildHost: "localhost"} {
		if got := h.text(tag); got != want {
			t.Errorf("tag %d is %q, want %q (this host is %s)", tag, got, want, host)
		}
	}
	var lines []string
	names, dirs, indexes := h[tagBaseNames].([]string), h[tagDirNames].([]string), h[tagDirIndexes].([]int)
	modes, flags, links := h[tagModes].([]int), h[tagFlags].([]int), h[tagLinks].([]string)
	for i, name := range names {
		line := fmt.Sprintf("%06o %d %s%s", modes[i], flags[i], dirs[indexes[i]], name)
		if links[i] != "" {
			line += " -> " + links[i]
		}
		lines = append(lines, line)
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(strings.Fields(a)[2], strings.Fields(b)[2]) })
	// flags: 1 config, 2 doc, 16 noreplace
	golden(t, lines, `
040755 0 /etc/amazon
040755 0 /etc/amazon/ssm
100644 2 /etc/amazon/ssm/NOTICE.md
100644 2 /etc/amazon/ssm/README.md
100644 2 /etc/amazon/ssm/RELEASENOTES.md
100644 0 /etc/amazon/ssm/amazon-ssm-agent.json.template
100644 0 /etc/amazon/ssm/seelog.xml.template
040755 0 /etc/init
100644 17 /etc/init/amazon-ssm-agent.conf
100755 0 /usr/bin/amazon-ssm-agent
100755 0 /usr/bin/ssm-agent-worker
120000 0 /usr/bin/ssm-cli -> amazon-ssm-agent
120000 0 /usr/bin/ssm-document-worker -> amazon-ssm-agent
120000 0 /usr/bin/ssm-session-logger -> amazon-ssm-agent
120000 0 /usr/bin/ssm-session-worker -> amazon-ssm-agent
100644 0 /usr/lib/systemd/system-preset/80-amazon-ssm-agent.preset
100644 0 /usr/lib/systemd/system/amazon-ssm-agent.service
040755 0 /usr/lib/systemd/system/amazon-ssm-agent.service.d
100644 0 /usr/lib/systemd/system/amazon-ssm-agent.service.d/ssm-setup.conf
040755 0 /var/lib/amazon
040755 0 /var/lib/amazon/ssm
`)
	for _, owner := range h[tagUser].([]string) {
		if owner != "root" {
			t.Errorf("owner %s", owner)
		}
	}
	for _, tag := range []int{tagPre, tagPost, tagPreun, tagPostun, tagPosttrans} {
		if h.text(tag) == "" {
			t.Errorf("no scriptlet %d", tag)
		}
	}
	if h.text(tagPretrans) != "" {
		t.Error("there is a scriptlet pretrans: it would run before the shell that a new root gets in the same transaction")
	}
	z, err := xz.NewReader(bytes.NewReader(payload))
	if err != nil {
		t.Fatal(err)
	}
	cpio, err := io.ReadAll(z)
	if err != nil || !bytes.Contains(cpio, []byte("program ssm-agent-worker")) || !bytes.Contains(cpio, []byte("./usr/bin/ssm-cli\x00")) {
		t.Errorf("payload of %d bytes, %v", len(cpio), err)
	}
}

// What rpmbuild states, a package of ours states, too: the shell that scriptlets need, before they run; what rpm must be able to; the
// release in a change log.
func TestAnRPMStatesWhatItNeedsAndWhatChanged(t *testing.T) {
	h, _ := readRPM(t, make1(t, "rpm", input(t, amd64)))
	var lines []string
	versions, flags := h[tagRequireVersion].([]string), h[tagRequireFlags].([]int)
	for i, name := range h[tagRequires].([]string) {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %#x %s", name, flags[i], versions[i])))
	}
	slices.Sort(lines)
	golden(t, lines, `
/bin/sh 0x1100
/bin/sh 0x120
/bin/sh 0x300
/bin/sh 0x500
/bin/sh 0x900
rpmlib(CompressedFileNames) 0x100000a 3.0.4-1
rpmlib(FileDigests) 0x100000a 4.6.0-1
rpmlib(PayloadFilesHavePrefix) 0x100000a 4.0-1
rpmlib(PayloadIsXz) 0x100000a 5.2-1
`)
	if got := h.text(tagChangeName); !strings.HasSuffix(got, "> - 9.1.0.0-1") || h.text(tagChangeText) != "- Release 9.1.0.0." {
		t.Errorf("changes: %q, %q", got, h.text(tagChangeText))
	}
	if at := h[tagChangeTime].([]int); len(at) != 1 || int64(at[0]) != input(t, amd64).Time.Unix() {
		t.Errorf("time of the change: %v", at)
	}
}

// The three architectures of docs/protocol/update.md, "rpm package" in rpm's own words; 32-bit ARM has none.
func TestAnRPMNamesItsArchitectureAsRPMDoes(t *testing.T) {
	for arch, want := range map[string]string{"amd64": "x86_64", "386": "i386", "arm64": "aarch64"} {
		h, _ := readRPM(t, make1(t, "rpm", input(t, pack.Platform{OS: "linux", Arch: arch})))
		if got := h.text(tagArch); got != want {
			t.Errorf("%s is called %s, want %s", arch, got, want)
		}
		if h.text(tagVendor) != "ssm-setup" { // zypper asks before it changes a package's vendor
			t.Errorf("vendor %q", h.text(tagVendor))
		}
	}
	if got := format(t, "rpm").File(pack.Platform{OS: "linux", Arch: "arm"}); got != "" {
		t.Errorf("there is an rpm for arm: %s", got)
	}
}

// The manual and the completion lie in an rpm where those systems look for them.
func TestAnRPMBringsTheManualAndCompletionAlong(t *testing.T) {
	in := input(t, amd64)
	in.Manual = pack.Manual{Page: []byte(".TH X 1\n"), Bash: []byte("# bash\n"), Zsh: []byte("#compdef x\n"), Fish: []byte("# fish\n")}
	h, _ := readRPM(t, make1(t, "rpm", in))
	names, dirs, indexes := h[tagBaseNames].([]string), h[tagDirNames].([]string), h[tagDirIndexes].([]int)
	flags := map[string]int{}
	for i, name := range names {
		flags[dirs[indexes[i]]+name] = h[tagFlags].([]int)[i]
	}
	const doc = 2
	for path, want := range map[string]int{"/usr/share/man/man1/ssm-setup.1.gz": doc, "/usr/share/bash-completion/completions/ssm-setup": 0,
		"/usr/share/zsh/site-functions/_ssm-setup": 0, "/usr/share/fish/vendor_completions.d/ssm-setup.fish": 0} {
		if got, there := flags[path]; !there || got != want {
			t.Errorf("%s: there: %v, flags %d, want %d", path, there, got, want)
		}
	}
}
