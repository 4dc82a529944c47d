package proxy

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer"
)

func clean(t *testing.T) {
	t.Helper()
	for _, name := range []string{"http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "all_proxy", "ALL_PROXY"} {
		t.Setenv(name, "")
	}
}

func TestAnAddressIsASchemeAHostAndAPort(t *testing.T) {
	for text, want := range map[string]string{
		"http://proxy:3128": "http://proxy:3128", "https://me:s%25ecret@proxy.example:443/": "https://me:s%25ecret@proxy.example:443",
		"http://[2001:db8::1]:8080": "http://[2001:db8::1]:8080", "http://u:a'b$c@p:1": "http://u:a%27b%24c@p:1",
		"": "", "proxy:3128": "", "http://proxy": "", "ftp://proxy:1": "", "http://proxy:1/path": "", "http://proxy:1?q": "",
		"http://pro xy:1": "", "http://proxy:1\n[Service]": "", "http://proxy:1\x00": "", "socks5://proxy:1": "", "http://p\"x:1": "",
	} {
		a, err := Parse(text)
		if (err == nil) != (want != "") || err == nil && a.String() != want {
			t.Errorf("%q: %v, %v", text, a, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error repeats it: %v", err)
		}
	}
}

func TestAPasswordIsInNoTextForPeople(t *testing.T) {
	a, err := Parse("http://me:secret@proxy:3128")
	if err != nil || a.Redacted() != "http://me:xxxxx@proxy:3128" {
		t.Errorf("%s, %v", a.Redacted(), err)
	}
}

// What is kept under a root is readable by its owner alone, is taken by an agent that has no other, and goes when it is forgotten.
func TestAnAgentTakesTheAddressThatIsKept(t *testing.T) {
	clean(t)
	dir := t.TempDir()
	must(t, os.Chmod(filepath.Dir(dir), 0o755))
	must(t, os.Chmod(dir, 0o755))
	l := installer.At(dir)
	a, err := Parse("http://me:secret@proxy:3128")
	must(t, err)
	must(t, Keep(l, a, false))
	if info, err := os.Stat(File(l)); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if b, known := Of(l); !known || b.String() != a.String() {
		t.Errorf("%v, %v", b, known)
	}
	t.Setenv("https_proxy", "http://other:1")
	Adopt(l)
	if os.Getenv("https_proxy") != "http://other:1" || os.Getenv("http_proxy") != "" {
		t.Error("the environment's own was replaced")
	}
	clean(t)
	Adopt(l)
	if os.Getenv("https_proxy") != a.String() || !strings.Contains(os.Getenv("no_proxy"), "169.254.169.254") {
		t.Errorf("%q, %q", os.Getenv("https_proxy"), os.Getenv("no_proxy"))
	}
	must(t, Forget(l))
	if _, known := Of(l); known {
		t.Error("it is still there")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
