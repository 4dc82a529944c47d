package takeover

import (
	"strings"
	"testing"
)

func TestTheManifestIsFoundFromAPackagesAddress(t *testing.T) {
	for location, want := range map[string]string{
		"https://b.s3.amazonaws.com/amazon-ssm-agent/3.0.1.0/f.tar.gz":   "https://b.s3.amazonaws.com/ssm-agent-manifest.json",
		"https://s3.amazonaws.com/b/amazon-ssm-agent/3.0.1.0/f.tar.gz":   "https://s3.amazonaws.com/b/ssm-agent-manifest.json",
		"https://s3.amazonaws.com/b/c/amazon-ssm-agent/3.0.1.0/f.tar.gz": "",
		"https://s3.amazonaws.com/f.tar.gz":                              "",
		"nonsense":                                                       "",
	} {
		got, err := Order{SourceLocation: location}.manifestURL()
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %s, %v", location, got, err)
		}
		if err != nil && err.Error() != "URL does not have expected path structure: "+location {
			t.Errorf("%v", err)
		}
	}
}

func TestASystemGoesByTheOriginalsNames(t *testing.T) {
	for name, want := range map[string]string{"Ubuntu": "ubuntu debian ubuntu", "Debian GNU/Linux": "ubuntu debian debian",
		"Raspbian GNU/Linux": "ubuntu debian raspbian", "Amazon Linux": "linux linux linux",
		"Red Hat Enterprise Linux": "linux linux red hat",
		"CentOS Linux":             "linux linux centos", "Rocky Linux": "linux linux rocky", "SLES": "linux linux sles",
		"Fedora Linux": "linux linux linux"} {
		p := platformOf("linux", name, false, false)
		if got := p.file + " " + p.folder + " " + p.name; got != want {
			t.Errorf("%s: %s, not %s", name, got, want)
		}
	}
	for goos, want := range map[string]string{"darwin": "darwin", "windows": "windows"} {
		if p := platformOf(goos, "macOS", false, false); p.file != want {
			t.Errorf("%s: %+v", goos, p)
		}
	}
	if p := platformOf("windows", "", false, true); p.folder != "windows_nano" {
		t.Errorf("%+v", p)
	}
	if p := platformOf("linux", "Kali", true, false); p.file != "ubuntu" {
		t.Errorf("%+v", p)
	}
}

func TestVersionsCompareAsTheOriginalsDo(t *testing.T) {
	for _, x := range []struct {
		a, b string
		want int
	}{{"2.1.10.0", "2.1.5.0", 1}, {"3.3", "3.3.0", -1}, {"3.03.0.0", "3.3.0.0", 0}, {" 3.3.0.0 ", "3.3.0.0", 0}} {
		if got, err := compare(x.a, x.b); got != x.want || err != nil {
			t.Errorf("%s and %s: %d, %v", x.a, x.b, got, err)
		}
	}
	for _, bad := range []string{"", "x", "3..1", "3.3.", strings.Repeat("1", 256)} {
		if _, err := compare(bad, "1"); err == nil || !strings.HasPrefix(err.Error(), "Invalid version string") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestAReplysTextIsCutAsTheOriginals(t *testing.T) {
	if got := joined("out", "err"); got != "out\n----------ERROR-------\nerr" {
		t.Errorf("%q", got)
	}
	long := strings.Repeat("x", 4000)
	for _, text := range []string{joined(long, ""), joined(long, "e"), joined("o", long), joined(long, long)} {
		if len(text) > longestOutput {
			t.Errorf("%d bytes", len(text))
		}
	}
	if got := joined(long, long); !strings.Contains(got, outputMark) || !strings.HasSuffix(got, errorMark) {
		t.Errorf("%q", got)
	}
}

func TestOfAProgramsPrintTheEndIsKept(t *testing.T) {
	var l lastBytes
	for range 40 {
		_, _ = l.Write([]byte(strings.Repeat("x", 100_000)))
	}
	_, _ = l.Write([]byte("the end"))
	if got := l.String(); len(got) != longestPrint || !strings.HasSuffix(got, "the end") || cap(l.b) > 8*longestPrint {
		t.Errorf("%d bytes in %d", len(got), cap(l.b))
	}
}

func TestAStreamOfAReplyIsCutAsTheOriginals(t *testing.T) {
	for n, want := range map[int]bool{23999: false, 24000: true, 30000: true} {
		got := stream(strings.Repeat("x", n))
		if cut := strings.HasSuffix(got, "--output truncated--"); cut != want || len(got) != min(n, 24000) {
			t.Errorf("%d: %d bytes, %t", n, len(got), cut)
		}
	}
}
