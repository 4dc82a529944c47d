//go:build unix

package story_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// fails runs ssm-setup twice, for people and with --json: both times it must end with the exit code given, with an error, its
// cause and a next step.
func fails(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: fails CODE VERB [ARG…]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	verb, rest := args[1], args[2:]
	run := func(args ...string) string {
		var ended *exec.ExitError
		err := ts.Exec("ssm-setup", args...)
		if !errors.As(err, &ended) || ended.ExitCode() != want {
			ts.Fatalf("ssm-setup %s: %v, exit code %d expected", strings.Join(args, " "), err, want)
		}
		return ts.ReadFile("stderr")
	}
	said := run(slices.Concat([]string{verb, "--json"}, rest)...)
	lines := strings.Split(strings.TrimSpace(said), "\n")
	var answer struct {
		Error, Hint string
		Exit        int
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &answer); err != nil || answer.Exit != want || answer.Error == "" ||
		answer.Hint == "" {
		ts.Fatalf("--json says %s", said)
	}
	said = run(slices.Concat([]string{verb}, rest)...)
	what, _, _ := strings.Cut(answer.Error, ": ") // causes name requests and temporary files
	if !strings.Contains(said, "error: "+what+": ") || !strings.Contains(said, "\nhint: ") || strings.Contains(said, "goroutine ") {
		ts.Fatalf("%q and with --json %q", said, answer.Error)
	}
}

// meddle puts a proxy between the script and its region; ENDPOINT becomes its address. What it does to requests that match is
// one of
//
//	flip           changes a byte in the middle of the answer
//	cut            breaks the connection in the middle of the answer
//	once RELEASE   before the first one, another release is published
func meddle(ts *testscript.TestScript, s *story, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: meddle METHOD PATH flip|cut|once RELEASE")
	}
	to, err := url.Parse(s.region.URL())
	ts.Check(err)
	meddler := &meddler{method: args[0], path: args[1], how: args[2]}
	if meddler.how == "once" {
		tool, env := filepath.Join(built, "bin", "ssm-setup"), "AWS_SHARED_CREDENTIALS_FILE="+s.region.CredentialsFile()
		other := exec.Command(tool, "publish", "--from", filepath.Join(built, "releases", args[3]), "--region", s.region.Name(), "--endpoint",
			s.region.URL())
		other.Env = append(other.Environ(), env, "AWS_EC2_METADATA_DISABLED=true")
		meddler.other = func() error { return other.Run() }
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host // it is signed
	}, ModifyResponse: meddler.answer}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := meddler.before(r); err != nil {
			http.Error(w, err.Error(), http.StatusTeapot)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	ts.Defer(server.Close)
	ts.Setenv("ENDPOINT", server.URL)
}

type meddler struct {
	method, path, how string
	once              sync.Once
	other             func() error
}

func (m *meddler) is(r *http.Request) bool {
	return r.Method == m.method && strings.HasSuffix(r.URL.Path, m.path)
}

func (m *meddler) before(r *http.Request) (err error) {
	if m.other != nil && m.is(r) {
		m.once.Do(func() { err = m.other() })
	}
	return err
}

func (m *meddler) answer(r *http.Response) error {
	if !m.is(r.Request) || r.StatusCode != http.StatusOK || m.other != nil {
		return nil
	}
	b, err := io.ReadAll(r.Body)
	if err != nil || len(b) == 0 {
		return err
	}
	r.Body.Close()
	if m.how == "flip" {
		b[len(b)/2] ^= 1
	} else {
		b = b[:len(b)/2] // shorter than announced
	}
	r.Body = io.NopCloser(bytes.NewReader(b))
	return nil
}

// hasObject compares an object of any bucket with a pattern.
func hasObject(ts *testscript.TestScript, s *story, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: region-has BUCKET KEY PATTERN")
	}
	b, err := s.region.GetFrom(args[0], args[1])
	ts.Check(err)
	if !regexp.MustCompile(args[2]).Match(b) {
		ts.Fatalf("%s is\n%s", args[1], b)
	}
}
