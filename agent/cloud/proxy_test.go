package cloud

import (
	"maps"
	"strings"
	"testing"
)

// docs/protocol/identity.md, "Proxy set-up per OS", Windows.
func TestVariablesOfTheSystemsProxy(t *testing.T) {
	for name, c := range map[string]struct {
		settings settings
		has      string // variables that are set already
		want     map[string]string
	}{
		"none":      {settings{}, "", nil},
		"alone":     {settings{"proxy:3128", ""}, "", map[string]string{"http_proxy": "proxy:3128"}},
		"by scheme": {settings{"http=a:1;https=b:2;ftp=c:3", ""}, "", map[string]string{"http_proxy": "a:1", "https_proxy": "b:2"}},
		"blanks": {settings{"HTTP=a:1 https=http://b:2", "x y"}, "", map[string]string{"http_proxy": "a:1", "https_proxy": "http://b:2",
			"no_proxy": "x,y"}},
		"bypass": {settings{"a:1", "<local>;*.corp.example;<-loopback>;10.0.0.1"}, "", map[string]string{"http_proxy": "a:1",
			"no_proxy": "*.corp.example,10.0.0.1"}},
		"one is set":      {settings{"http=a:1;https=b:2", "x"}, "https_proxy", map[string]string{"no_proxy": "x"}},
		"all are set":     {settings{"a:1", "x"}, "http_proxy no_proxy", nil},
		"bypass is set":   {settings{"a:1", "x"}, "no_proxy", map[string]string{"http_proxy": "a:1"}},
		"nothing to skip": {settings{"", "<local>"}, "", nil},
	} {
		got := c.settings.variables(func(name string) bool { return strings.Contains(" "+c.has+" ", " "+name+" ") })
		if !maps.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestTheProxyIsNamedInTheLog(t *testing.T) {
	t.Setenv("http_proxy", "http://me:secret@proxy.example:3128")
	t.Setenv("https_proxy", "me:secret@proxy.example:3128")
	t.Setenv("no_proxy", "169.254.169.254")
	got := strings.Join(ProxyLines(), "\n")
	want := "Proxy environment variables:\nhttp_proxy: http://me:xxxxx@proxy.example:3128\nhttps_proxy: xxxxx@proxy.example:3128\nno_proxy: 169.254.169.254"
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}
