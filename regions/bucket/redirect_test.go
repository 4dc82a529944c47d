package bucket_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// sent is a client whose first answer is a redirect, and the addresses that it asks for.
func sent(base, location string, content string, asked *[]*http.Request) *bucket.Client {
	jar, _ := cookiejar.New(nil)
	h := &http.Client{Jar: jar, Transport: answers(func(r *http.Request) *http.Response {
		if *asked = append(*asked, r); len(*asked) == 1 {
			return answer(r, 307, -1, strings.NewReader("a secret of the place"), "Location", location, "Set-Cookie", "a=b; Domain=example")
		}
		return answer(r, 200, int64(len(content)), strings.NewReader(content))
	})}
	return bucket.New(bucket.Options{Base: base, HTTP: h, Retries: -1})
}

func TestARedirectIsFollowedOnlyToWhereAFileCanBeTrusted(t *testing.T) {
	const aws = "https://s3.eu-west-1.amazonaws.com/amazon-ssm-eu-west-1"
	for _, c := range []struct {
		from, to          string
		small, asPackages bool
	}{
		{"https://mirror.example/b", "https://mirror.example/elsewhere", true, true},
		{"https://mirror.example/b", "/elsewhere", true, true},
		{"https://mirror.example/b", "https://MIRROR.example:443/x", true, true},
		{"https://mirror.example/b", "https://mirror.example:8443/x", false, true},
		{"https://mirror.example/b", "https://other.example/x", false, true},
		{"https://mirror.example/b", "http://mirror.example/x", false, false},
		{"https://mirror.example/b", "http://169.254.169.254/latest/meta-data", false, false},
		{"https://mirror.example/b", "file:///etc/shadow", false, false},
		{"https://mirror.example/b", "", false, false},
		{"http://127.0.0.1:7700/b", "http://127.0.0.1:7700/x", true, true},
		{"http://127.0.0.1:7700/b", "http://127.0.0.1:80/x", false, false},
		{"http://127.0.0.1:7700/b", "https://127.0.0.1:7701/x", true, true},
		{"http://127.0.0.1:7700/b", "http://169.254.169.254/x", false, false},
		{"http://127.0.0.1:7700/b", "https://cdn.example/x", false, true},
		{aws, "https://amazon-ssm-eu-west-1.s3.eu-west-1.amazonaws.com/latest/VERSION", true, true},
		{aws, "https://s3.dualstack.eu-west-1.amazonaws.com/amazon-ssm-eu-west-1/latest/VERSION", true, true},
		{aws, "https://amazon-ssm-eu-west-1.s3-us-west-2.amazonaws.com/latest/VERSION", true, true},
		{aws, "https://amazon-ssm-eu-west-1.s3.amazonaws.com/latest/VERSION", true, true},
		{aws, "https://amazon-ssm-us-east-1.s3.eu-west-1.amazonaws.com/latest/VERSION", false, true},
		{aws, "https://amazon-ssm-eu-west-1.s3.us-gov-west-1.amazonaws.com/latest/VERSION", false, true},
		{aws, "https://amazon-ssm-eu-west-1.s3.cn-north-1.amazonaws.com.cn/latest/VERSION", false, true},
		{aws, "https://amazon-ssm-eu-west-1.s3.eu-west-1.amazonaws.com.attacker.example/latest/VERSION", false, true},
		{aws, "https://ec2-1-2-3-4.eu-west-1.compute.amazonaws.com/amazon-ssm-eu-west-1/latest/VERSION", false, true},
		{aws, "https://s3.eu-west-1.amazonaws.com:8443/amazon-ssm-eu-west-1/latest/VERSION", false, true},
		{aws, "https://s3.eu-central-1.amazonaws.com/x/..%2Famazon-ssm-eu-west-1/latest/VERSION", false, true},
		{aws, "https://user@s3.eu-central-1.amazonaws.com/amazon-ssm-eu-west-1/latest/VERSION", true, true},
	} {
		const version = "9.1.0.0\n"
		var asked []*http.Request
		_, err := sent(c.from, c.to, version, &asked).Latest(t.Context())
		judge(t, "VERSION", c.from, c.to, c.small, asked, err)

		asked = nil
		client := sent(c.from, c.to, version, &asked)
		err = client.Fetch(t.Context(), wantOf(t, client.Base()+"/f", []byte(version)))
		judge(t, "package", c.from, c.to, c.asPackages, asked, err)
	}
}

func judge(t *testing.T, what, from, to string, follows bool, asked []*http.Request, err error) {
	t.Helper()
	if follows != (err == nil) || follows != (len(asked) == 2) || err != nil && !errors.Is(err, bucket.ErrRedirect) {
		t.Errorf("%s, from %s to %q: %v after %d requests", what, from, to, err, len(asked))
	}
	for _, told := range []string{"secret", "meta-data", "shadow"} {
		if err != nil && strings.Contains(err.Error(), told) {
			t.Errorf("%s, from %s to %s: what the answer holds is repeated: %v", what, from, to, err)
		}
	}
}

func TestNoCredentialsAndCookiesFollowARedirect(t *testing.T) {
	var asked []*http.Request
	c := sent("https://user:password@mirror.example/b", "https://other:word@cdn.example/x", "content", &asked)
	err := c.Fetch(t.Context(), wantOf(t, c.Base()+"/f", []byte("content")))
	if err != nil || len(asked) != 2 {
		t.Fatalf("%v after %d requests", err, len(asked))
	}
	for _, r := range asked {
		if len(r.Cookies()) > 0 || r.Header.Get("Referer") != "" {
			t.Errorf("%s: %v", r.URL, r.Header)
		}
	}
	if r := asked[1]; r.URL.User != nil || r.Header.Get("Authorization") != "" {
		t.Errorf("%s: %v", r.URL, r.Header)
	}
}

func TestRedirectsInACircleEnd(t *testing.T) {
	n := 0
	c := at(func(r *http.Request) *http.Response {
		n++
		return answer(r, 302, 0, http.NoBody, "Location", fmt.Sprintf("https://bucket.example/%d", n))
	}, -1)
	if _, err := c.Latest(t.Context()); !errors.Is(err, bucket.ErrRedirect) || n != 11 {
		t.Errorf("%v after %d requests", err, n)
	}
}

func FuzzLocationsOfRedirects(f *testing.F) {
	for _, to := range []string{"https://mirror.example/x", "//other/x", "http://[::1]:7/", "%", "https://user@mirror.example@x/",
		"https://s3.eu-west-1.amazonaws.com/amazon-ssm-eu-west-1/x"} {
		f.Add(to)
	}
	f.Fuzz(func(t *testing.T, to string) {
		var asked []*http.Request
		if strings.ContainsAny(to, "\r\n") {
			return
		}
		_, _ = sent("https://s3.eu-west-1.amazonaws.com/amazon-ssm-eu-west-1", to, "9.1.0.0", &asked).Latest(t.Context())
		for _, r := range asked {
			host := strings.ToLower(r.URL.Hostname())
			if r.URL.Scheme != "https" || !strings.HasSuffix(host, ".amazonaws.com") || r.URL.User != nil {
				t.Errorf("%q led to %s", to, r.URL)
			}
		}
	})
}
