package console_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/console"
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t }

func (c *clock) advance(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.t = c.t.Add(d) }

func TestAOneTimeAddressLetsOneBrowserInWithinAMinute(t *testing.T) {
	c := &clock{t: time.Now()}
	d := open(t, func(o *console.Options) { o.Clock = c.now })
	used, late, unknown := d.console.Link(), d.console.Link(), d.console.URL()+"/enter/ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	if res, _ := d.do("GET", used, nil, func(r *http.Request) { r.Header.Set("Sec-Purpose", "prefetch;prerender") }); res.StatusCode != 503 {
		t.Errorf("looking ahead: %s", res.Status)
	}
	if res, _ := d.do("GET", used, nil); res.StatusCode != 200 {
		t.Errorf("the first time: %s", res.Status)
	}
	for name, link := range map[string]string{"twice": used, "unknown": unknown} {
		res, _ := d.do("GET", link, nil)
		if res.StatusCode != 401 || len(res.Cookies()) != 0 {
			t.Errorf("%s: %s, cookies %v", name, res.Status, res.Cookies())
		}
	}
	c.advance(time.Minute)
	if res, _ := d.do("GET", late, nil); res.StatusCode != 401 {
		t.Errorf("after a minute: %s", res.Status)
	}
}

func TestTheCookieIsTheHostsAloneAndOutOfReachOfScripts(t *testing.T) {
	d := open(t).enter()
	c := d.cookie
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Domain != "" || c.MaxAge != 0 || c.Path != d.base || len(d.base) < 20 {
		t.Errorf("cookie %+v at %s", c, d.base)
	}
	if !strings.HasPrefix(d.console.URL(), "http://console.localhost:") {
		t.Errorf("address %s", d.console.URL())
	}
	// Another session's path is not opened by this cookie, nor this path by another's.
	other := open(t)
	other.console, other.client = d.console, d.client
	other.enter()
	if res, _ := other.do("GET", d.at("hosts"), nil); res.StatusCode != 401 {
		t.Errorf("another session's cookie: %s", res.Status)
	}
	if res, _ := d.do("GET", d.console.URL()+"/hosts", nil); res.StatusCode != 401 {
		t.Errorf("without the session's path: %s", res.Status)
	}
	d.cookie = nil
	if res, _ := d.do("GET", d.at("hosts"), nil); res.StatusCode != 401 {
		t.Errorf("without the cookie: %s", res.Status)
	}
}

func TestASessionEndsWithLeavingAndWithTime(t *testing.T) {
	c := &clock{t: time.Now()}
	d := open(t, func(o *console.Options) { o.Clock = c.now }).enter()
	d.get("hosts")
	c.advance(11 * time.Hour)
	d.get("hosts")
	c.advance(13 * time.Hour)
	if res, _ := d.do("GET", d.at("hosts"), nil); res.StatusCode != 401 {
		t.Errorf("after 13 idle hours: %s", res.Status)
	}
	d.enter()
	if res, _ := d.do("POST", d.at("leave"), url.Values{}); res.StatusCode != 200 {
		t.Errorf("leaving: %s", res.Status)
	}
	if res, _ := d.do("GET", d.at("hosts"), nil); res.StatusCode != 401 {
		t.Errorf("after leaving: %s", res.Status)
	}
}

// A name of an attacker's that resolves to this machine, and this machine's other names.
func TestOnlyTheConsolesOwnNameIsAnswered(t *testing.T) {
	d := open(t).enter()
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(d.console.URL(), "http://"))
	for _, host := range []string{"rebound.example:" + port, "127.0.0.1:" + port, "localhost:" + port, "console.localhost",
		"console.localhost:1", "console.localhost.:" + port, "console.localhost.rebound.example:" + port} {
		for _, path := range []string{d.base + "hosts", "/assets/console.css", strings.TrimPrefix(d.console.Link(), d.console.URL())} {
			res, body := d.do("GET", d.console.URL()+path, nil, func(r *http.Request) { r.Host = host })
			if res.StatusCode != http.StatusMisdirectedRequest || strings.Contains(body, "Hosts") || len(res.Cookies()) != 0 {
				t.Errorf("%s %s: %s", host, path, res.Status)
			}
		}
	}
}

// The cookie goes to every port of the name, also from a page that another program serves there.
func TestAnotherPortWithTheCookieReachesNothing(t *testing.T) {
	d := open(t).enter()
	for _, path := range []string{"hosts", "live?at=hosts"} {
		res, body := d.do("GET", d.at(path), nil, func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "same-site")
			r.Header.Set("Origin", "http://console.localhost:9999")
		})
		if res.StatusCode != 403 || strings.Contains(body, "Hosts") || res.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
	res, _ := d.do("POST", d.at("activations"), url.Values{"limit": {"1"}},
		func(r *http.Request) { r.Header.Set("Origin", "http://console.localhost:9999") })
	if res.StatusCode != 403 {
		t.Errorf("a write: %s", res.Status)
	}
}

func TestAWriteNeedsTheConsolesOwnOrigin(t *testing.T) {
	d := open(t).enter()
	for _, origin := range []string{"", "null", "http://evil.example", "https" + strings.TrimPrefix(d.console.URL(), "http"),
		d.console.URL() + ".evil.example", d.region.URL()} {
		res, _ := d.do("POST", d.at("activations"), url.Values{"limit": {"1"}}, func(r *http.Request) {
			r.Header.Set("Origin", origin)
			if origin == "" {
				r.Header.Del("Origin")
			}
		})
		if res.StatusCode != 403 {
			t.Errorf("origin %q: %s", origin, res.Status)
		}
	}
	if d.region.Count("CreateActivation") != 0 || len(d.region.Log()) != 0 {
		t.Errorf("something was done: %+v", d.region.Log())
	}
	for _, method := range []string{"PUT", "DELETE", "OPTIONS", "PATCH"} {
		if res, _ := d.do(method, d.at("hosts"), nil); res.StatusCode != 405 {
			t.Errorf("%s: %s", method, res.Status)
		}
	}
}

func TestEveryAnswerForbidsInlineScriptAndFrames(t *testing.T) {
	d := open(t).enter()
	for _, path := range []string{d.base + "hosts", d.base + "nothing", "/", "/enter/x", "/assets/console.js", "/assets/none"} {
		res, body := d.do("GET", d.console.URL()+path, nil)
		if p := res.Header.Get("Content-Security-Policy"); !strings.HasPrefix(p, "default-src 'self'; frame-ancestors 'none'") ||
			strings.Contains(p, "unsafe") || res.Header.Get("X-Content-Type-Options") != "nosniff" ||
			res.Header.Get("Referrer-Policy") != "same-origin" {
			t.Errorf("%s: %v", path, res.Header)
		}
		if strings.Contains(body, "<script>") || strings.Contains(body, " style=") || strings.Contains(body, " onclick=") {
			t.Errorf("%s has inline script or style", path)
		}
	}
}

// What is served to all of this machine, or beyond it, is served over TLS alone, with a certificate of the region's CA.
func TestBeyondLoopbackTheConsoleSpeaksTLSOnly(t *testing.T) {
	d := open(t, func(o *console.Options) { o.Listen = "0.0.0.0:0" })
	if !strings.HasPrefix(d.console.URL(), "https://") {
		t.Fatalf("address %s", d.console.URL())
	}
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(d.console.URL(), "https://"))
	trust(t, d)
	d.enter()
	if !d.cookie.Secure {
		t.Errorf("cookie %+v", d.cookie)
	}
	want(t, d.get("hosts"), "No host is registered")
	res, err := d.client.Get("http://console.localhost:" + port + "/")
	if err == nil {
		res.Body.Close()
		if res.StatusCode != 400 {
			t.Errorf("plain HTTP: %s", res.Status)
		}
	}
	if res, _ := d.do("GET", d.at("hosts"), nil, func(r *http.Request) { r.Host = "rebound.example:" + port }); res.StatusCode != 421 {
		t.Errorf("another name: %s", res.Status)
	}
}

func TestNoOneTimeAddressIsLogged(t *testing.T) {
	var log bytes.Buffer
	var mu sync.Mutex
	d := open(t, func(o *console.Options) {
		o.Log = slog.New(slog.NewTextHandler(lockedWriter{&mu, &log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	link := d.console.Link()
	d.do("GET", link, nil)
	d.do("GET", link, nil)
	d.enter().get("hosts")
	mu.Lock()
	defer mu.Unlock()
	for _, secret := range []string{link[strings.LastIndex(link, "/")+1:], d.cookie.Value} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log has it: %s", log.String())
		}
	}
}

type lockedWriter struct {
	mu *sync.Mutex
	b  *bytes.Buffer
}

func (w lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

// A browser may try ::1 first for a name below localhost: no other program may have it.
func TestBothLoopbackAddressesAreTheConsoles(t *testing.T) {
	d := open(t)
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(d.console.URL(), "http://"))
	var config net.ListenConfig
	probe, err := config.Listen(context.Background(), "tcp6", "[::1]:0")
	if err != nil {
		t.Skip("this machine has no IPv6 loopback")
	}
	probe.Close()
	l, err := config.Listen(context.Background(), "tcp6", "[::1]:"+port)
	if err == nil {
		l.Close()
		t.Error("another program can take ::1")
	}
	taken, err := config.Listen(context.Background(), "tcp6", "[::1]:0")
	must(t, err)
	defer taken.Close()
	_, port, _ = net.SplitHostPort(taken.Addr().String())
	if c, err := console.Open(d.region, console.Options{Listen: "127.0.0.1:" + port}); err == nil {
		c.Close()
		t.Error("the console shares its port")
	}
}

// ssm-setup console asks for a new address while the region runs; what the data folder holds is its account's alone.
func TestAnotherProcessOfTheAccountGetsAnAddress(t *testing.T) {
	d := open(t)
	link, err := console.NewLink(context.Background(), d.region.Data())
	must(t, err)
	if res, _ := d.do("GET", link, nil); res.StatusCode != 200 {
		t.Errorf("%s: %s", link, res.Status)
	}
	info, err := os.Stat(filepath.Join(d.region.Data(), console.DoorFile))
	must(t, err)
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	for _, key := range []string{"", "Bearer ", "Bearer ABCDEFGHIJKLMNOPQRSTUVWXYZ"} {
		res, body := d.do("GET", d.console.URL()+"/door", nil, func(r *http.Request) { r.Header.Set("Authorization", key) })
		if res.StatusCode != 401 || strings.Contains(body, "/enter/") {
			t.Errorf("key %q: %s", key, res.Status)
		}
	}
	must(t, d.console.Close())
	_, err = console.NewLink(context.Background(), d.region.Data())
	if err == nil || !strings.Contains(err.Error(), "no region with a console") {
		t.Errorf("after its end: %v", err)
	}
}
