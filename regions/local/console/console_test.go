package console_test

import (
	"context"
	"crypto/rsa"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local"
	"github.com/ssm-setup/ssm-setup/regions/local/console"
	"github.com/ssm-setup/ssm-setup/regions/local/simulated"
)

// desk is a region with its console, and one browser that was let in.
type desk struct {
	t       *testing.T
	region  *local.Region
	console *console.Console
	client  *http.Client
	base    string // of the session, without the address
	cookie  *http.Cookie
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// open serves a console without letting anything in.
func open(t *testing.T, change ...func(*console.Options)) *desk {
	t.Helper()
	d := &desk{t: t, region: local.Start(t)}
	o := console.Options{Quiet: 10 * time.Millisecond}
	for _, c := range change {
		c(&o)
	}
	var err error
	d.console, err = console.Open(d.region, o)
	must(t, err)
	t.Cleanup(func() { must(t, d.console.Close()) })
	// The names below localhost are this machine's for browsers; here the dialer says so.
	d.client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			_, port, _ := net.SplitHostPort(address)
			var dialer net.Dialer
			return dialer.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
		}}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return d
}

var goesOn = regexp.MustCompile(`content="0;url=(/[a-z0-9]+/)hosts"`)

// enter opens a one-time address as the first browser.
func (d *desk) enter() *desk {
	d.t.Helper()
	res, body := d.do("GET", d.console.Link(), nil)
	m := goesOn.FindStringSubmatch(body)
	if res.StatusCode != 200 || m == nil || len(res.Cookies()) != 1 {
		d.t.Fatalf("%s %v\n%s", res.Status, res.Header, body)
	}
	d.base, d.cookie = m[1], res.Cookies()[0]
	return d
}

// do asks as a browser would; change may alter the request.
func (d *desk) do(method, address string, form url.Values, change ...func(*http.Request)) (*http.Response, string) {
	d.t.Helper()
	req, err := http.NewRequest(method, address, strings.NewReader(form.Encode()))
	must(d.t, err)
	if method == "POST" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", d.console.URL())
	}
	if d.cookie != nil {
		req.AddCookie(&http.Cookie{Name: d.cookie.Name, Value: d.cookie.Value})
	}
	for _, c := range change {
		c(req)
	}
	res, err := d.client.Do(req)
	must(d.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	must(d.t, err)
	return res, string(body)
}

func (d *desk) at(path string) string { return d.console.URL() + d.base + path }

// get reads a page that must be there.
func (d *desk) get(path string) string {
	d.t.Helper()
	res, body := d.do("GET", d.at(path), nil)
	if res.StatusCode != 200 {
		d.t.Fatalf("%s: %s\n%s", path, res.Status, body)
	}
	return body
}

// post sends a form and returns where it leads.
func (d *desk) post(path string, form url.Values) string {
	d.t.Helper()
	res, body := d.do("POST", d.at(path), form)
	if res.StatusCode != 303 {
		d.t.Fatalf("%s: %s\n%s", path, res.Status, body)
	}
	return strings.TrimPrefix(res.Header.Get("Location"), d.base)
}

func want(t *testing.T, body string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(body, p) {
			t.Errorf("%q is missing in\n%s", p, body)
		}
	}
}

var key = sync.OnceValues(simulated.Key)

// hosts registers hosts that run a version.
func (d *desk) hosts(n int, version string, change ...func(*simulated.Host)) (all []*simulated.Host) {
	d.t.Helper()
	var k *rsa.PrivateKey
	k, err := key()
	must(d.t, err)
	id, code, err := d.region.CreateActivation(n)
	must(d.t, err)
	for i := range n {
		h, err := simulated.Register(context.Background(), d.region.URL(), d.region.Name(), id, code, k)
		must(d.t, err)
		h.Facts.ComputerName = fmt.Sprintf("host%02d.example", i)
		for _, c := range change {
			c(h)
		}
		must(d.t, h.Ping(context.Background(), "Active", version))
		all = append(all, h)
	}
	return all
}
