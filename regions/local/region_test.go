package local_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

func TestStateSurvivesARestart(t *testing.T) {
	data := t.TempDir()
	r := need[*local.Region](t)(local.Open(local.Options{Data: data}))
	put(t, admin(t, r), bucket, "k", "v")
	before, ca := r.Admin(), string(need[[]byte](t)(os.ReadFile(r.CAFile())))
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	r = need[*local.Region](t)(local.Open(local.Options{Data: data}))
	defer r.Close()
	if r.Admin() != before || string(need[[]byte](t)(os.ReadFile(r.CAFile()))) != ca {
		t.Error("other credentials or CA after a restart")
	}
	if got := read(t, admin(t, r), bucket, "k"); got != "v" {
		t.Errorf("object: %q", got)
	}
}

func TestOneProcessPerFolderAndOneRegionPerFolder(t *testing.T) {
	r := local.Start(t)
	if _, err := local.Open(local.Options{Data: r.Data()}); !errors.Is(err, local.ErrLocked) {
		t.Errorf("second: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := local.Open(local.Options{Data: r.Data(), Name: "other"}); !errors.Is(err, local.ErrOtherRegion) {
		t.Errorf("other name: %v", err)
	}
}

func TestWhatACrashLeftIsRemovedAtStart(t *testing.T) {
	data := t.TempDir()
	r := need[*local.Region](t)(local.Open(local.Options{Data: data, NoSync: true}))
	if err := r.Put("k", []byte("v")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".new-123", "ab/abcdef"} { // as a kill -9 leaves them
		path := filepath.Join(data, "objects", name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("half"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	r.Close()
	r = need[*local.Region](t)(local.Open(local.Options{Data: data, NoSync: true}))
	defer r.Close()
	if n := bodies(t, r); n != 1 {
		t.Errorf("%d files in objects/, want 1", n)
	}
	if got := need[[]byte](t)(r.Get("k")); string(got) != "v" {
		t.Errorf("object: %q", got)
	}
}

func TestTheCredentialsFileHoldsTheAdministrator(t *testing.T) {
	r := local.Start(t)
	text := string(need[[]byte](t)(os.ReadFile(r.CredentialsFile())))
	a := r.Admin()
	if want := "[default]\naws_access_key_id = " + a.AccessKeyID + "\naws_secret_access_key = " + a.SecretAccessKey + "\n"; text != want {
		t.Errorf("%q, want %q", text, want)
	}
	if info := need[os.FileInfo](t)(os.Stat(r.CredentialsFile())); info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
		t.Errorf("mode %v", info.Mode())
	}
}

func TestOnePortSpeaksPlainAndTLS(t *testing.T) {
	r := local.Start(t)
	if err := r.Put("k", []byte("v")); err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: trust(t, r)}
	defer transport.CloseIdleConnections()
	for _, base := range []string{r.URL(), r.TLSURL(), strings.Replace(r.TLSURL(), "127.0.0.1", "localhost", 1)} {
		for range 3 {
			resp, err := (&http.Client{Transport: transport}).Get(base + "/" + bucket + "/k")
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != 200 || resp.ProtoMajor != 1 {
				t.Errorf("%s: %s %s", base, resp.Proto, resp.Status)
			}
		}
	}
}

func TestASilentConnectionHoldsNothingUp(t *testing.T) {
	r := local.Start(t)
	c := need[net.Conn](t)(net.Dial("tcp", strings.TrimPrefix(r.URL(), "http://")))
	defer c.Close()
	if status, _ := get(t, r.URL()+"/"+bucket+"/none"); status != 404 {
		t.Errorf("status %d", status)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestARegionMisbehavesOnPurpose(t *testing.T) {
	r := local.Start(t)
	if err := r.Put("dir/k", []byte("0123456789")); err != nil {
		t.Fatal(err)
	}
	url := r.URL() + "/" + bucket + "/dir/k"
	status := func() int { s, _ := get(t, url); return s }

	r.Break("GetObject", 2, 503, "SlowDown")
	r.Break("/"+bucket+"/dir/", 1, 500, "")
	if a, b, c, d := status(), status(), status(), status(); a != 503 || b != 503 || c != 500 || d != 200 {
		t.Errorf("broken: %d %d %d %d", a, b, c, d)
	}
	r.Break("GetObject", -1, 503, "")
	status()
	if s := status(); s != 503 {
		t.Errorf("broken for ever: %d", s)
	}
	r.Mend()
	http.DefaultClient.CloseIdleConnections()
	r.DropConnections(1)
	if resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Post(url, "", nil); err == nil {
		t.Errorf("answered %s", resp.Status)
	}
	if err := r.Corrupt("dir/k"); err != nil {
		t.Error(err)
	}
	if got := need[[]byte](t)(r.Get("dir/k")); len(got) != 10 || string(got) == "0123456789" {
		t.Errorf("corrupted: %q", got)
	}
	if keys := need[[]string](t)(r.Keys("dir/")); len(keys) != 1 || keys[0] != "dir/k" {
		t.Errorf("keys %q", keys)
	}
	calls := r.Calls("GetObject")
	if len(calls) != 6 || calls[0].Code != "SlowDown" || calls[3].Status != 200 || r.Count("GetObject") != 6 {
		t.Errorf("%d calls: %+v", len(calls), calls)
	}
	if err := r.Delete("dir/k"); err != nil || status() != 404 {
		t.Errorf("delete: %v", err)
	}
}

func TestUnknownOperationIsNamed(t *testing.T) {
	r := local.Start(t)
	for _, target := range []string{"AmazonSSM.MakeCoffee", "Nothing.AtAll"} {
		req, _ := http.NewRequest("POST", r.URL()+"/", strings.NewReader("{}"))
		req.Header.Set("X-Amz-Target", target)
		resp := need[*http.Response](t)(http.DefaultClient.Do(req))
		body := make([]byte, 1000)
		n, _ := resp.Body.Read(body)
		resp.Body.Close()
		if text := string(body[:n]); resp.StatusCode != 400 || !strings.Contains(text, "UnknownOperationException") ||
			!strings.Contains(text, target) {
			t.Errorf("%d %s", resp.StatusCode, text)
		}
		if resp.Header.Get("X-Amzn-Requestid") == "" {
			t.Error("no request id")
		}
	}
}

func TestCloseEndsARunningUpload(t *testing.T) {
	r := local.Start(t)
	c := admin(t, r)
	if _, err := c.HeadBucket(context.Background(), &s3.HeadBucketInput{Bucket: ptr(bucket)}); err != nil {
		t.Fatal(err)
	}
	conn := need[net.Conn](t)(net.Dial("tcp", strings.TrimPrefix(r.URL(), "http://")))
	defer conn.Close()
	_, _ = conn.Write([]byte("PUT /" + bucket + "/k HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf"))
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func ptr[T any](v T) *T { return &v }
