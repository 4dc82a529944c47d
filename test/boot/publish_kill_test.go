//go:build boot && linux

package boot_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/local"
)

// What a killed publication must leave for every reader: all that VERSION, the manifest, apt's and rpm's indexes name, byte for byte.

// shop is a place that a region serves from.
type shop struct {
	get  func(key string) ([]byte, error)
	have map[string]string // the files of both releases: SHA-256 → what it is
}

// goods are the hashes of all files of releases.
func goods(t *testing.T, versions ...string) map[string]string {
	t.Helper()
	sums := map[string]string{}
	for _, v := range versions {
		entries, err := os.ReadDir(filepath.Join(dist, v))
		must(t, err)
		for _, e := range entries {
			sums[hash(readFile(t, filepath.Join(dist, v, e.Name())))] = v + "/" + e.Name()
		}
	}
	return sums
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// whole returns which version the place serves, after it has followed every name from the top down.
func (s shop) whole() (version string, err error) {
	text, err := s.get(regions.LatestVersionKey)
	if err != nil {
		return "", err
	}
	v, err := manifests.ParseVersionFile(text)
	if err != nil {
		return "", err
	}
	for _, check := range []func(manifests.Version) error{s.manifest, s.apt, s.rpm, s.latest} {
		if err := check(v); err != nil {
			return v.String(), err
		}
	}
	return v.String(), nil
}

// holds checks one object.
func (s shop) holds(key, sum string) error {
	b, err := s.get(key)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	if got := hash(b); !strings.EqualFold(got, sum) {
		return fmt.Errorf("%s has SHA-256 %s, not %s", key, got, sum)
	}
	return nil
}

func (s shop) manifest(v manifests.Version) error {
	text, err := s.get(regions.ManifestKey)
	if err != nil {
		return err
	}
	m, err := manifests.ParseManifest(text)
	if err != nil {
		return err
	}
	found := false
	for _, p := range m.Packages {
		for _, f := range p.Files {
			for _, e := range f.AvailableVersions {
				found = found || e.Version == v.String()
				if err := s.holds(p.Name+"/"+e.Version+"/"+f.Name, e.Checksum); err != nil {
					return err
				}
			}
		}
	}
	if !found {
		return fmt.Errorf("the manifest does not list %s, which VERSION names", v)
	}
	return nil
}

var (
	aptList = regexp.MustCompile(`(?m)^ ([0-9a-f]{64}) +[0-9]+ (\S+)/(Packages)$`)
	aptFile = regexp.MustCompile(`(?m)^Filename: (\S+)\n(?:.*\n)*?SHA256: ([0-9a-f]{64})$`)
	rpmList = regexp.MustCompile(`href="(repodata/([0-9a-f]{64})-[a-z]+\.xml\.gz)"`)
)

// apt is what a client of today reads: InRelease, and everything else by its hash.
func (s shop) apt(v manifests.Version) error {
	release, err := s.get("dists/stable/InRelease")
	if err != nil {
		return err
	}
	offered := false
	for _, list := range aptList.FindAllSubmatch(release, -1) {
		key := "dists/stable/" + string(list[2]) + "/by-hash/SHA256/" + string(list[1])
		if err := s.holds(key, string(list[1])); err != nil {
			return err
		}
		packages, _ := s.get(key)
		for _, file := range aptFile.FindAllSubmatch(packages, -1) {
			offered = offered || strings.Contains(string(file[1]), "/"+v.String()+"/")
			if err := s.holds(string(file[1]), string(file[2])); err != nil {
				return err
			}
		}
	}
	if !offered {
		return fmt.Errorf("apt is not offered %s", v)
	}
	return nil
}

func (s shop) rpm(manifests.Version) error {
	repomd, err := s.get("repodata/repomd.xml")
	if err != nil {
		return err
	}
	lists := rpmList.FindAllSubmatch(repomd, -1)
	if len(lists) == 0 {
		return errors.New("repomd.xml names no list")
	}
	for _, list := range lists {
		if err := s.holds(string(list[1]), string(list[2])); err != nil {
			return err
		}
	}
	return nil
}

// latest checks the copies: each is a whole file of one of the releases.
func (s shop) latest(manifests.Version) error {
	for _, format := range []string{"debian_%s/amazon-ssm-agent.deb", "linux_%s/amazon-ssm-agent.rpm"} {
		key := "latest/" + fmt.Sprintf(format, runtime.GOARCH)
		b, err := s.get(key)
		if err != nil {
			return err
		}
		if s.have[hash(b)] == "" {
			return fmt.Errorf("%s is the file of no release", key)
		}
	}
	return nil
}

// publisher is ssm-setup publish.
func publisher(args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(dist, "ssm-setup"), append([]string{"publish", "--region", "local", "--sign-pgp-key", signingKey()},
		args...)...)
	cmd.Env = append(os.Environ(), "AWS_EC2_METADATA_DISABLED=true")
	return cmd
}

// cutter stands between a publication and its region, and kills the publication at its first change of an object that it has not
// cut often enough: before the region has seen the change, in the middle of it, or after the region has done it and before the
// answer. What everything else hangs on is cut at all three moments, other objects at one.
type cutter struct {
	region http.Handler
	mu     sync.Mutex
	victim *os.Process
	cuts   map[string]int // path → how often
	total  int
	last   string
}

const (
	before = iota
	within
	behind
	moments
)

// crucial are the objects that say what is current.
var crucial = []string{regions.ManifestKey, "dists/stable/InRelease", "dists/stable/Release", "repodata/repomd.xml", "lists.json",
	regions.LatestVersionKey}

// moment is when to cut the next change of an object, if at all.
func (c *cutter) moment(path string) (at int, cut bool) {
	n := c.cuts[path]
	if slices.ContainsFunc(crucial, func(key string) bool { return strings.HasSuffix(path, "/"+key) }) {
		return n, n < moments
	}
	return len(c.cuts) % moments, n == 0
}

func (c *cutter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		c.region.ServeHTTP(w, r)
		return
	}
	c.mu.Lock() // one change at a time: those behind the fatal one never come
	defer c.mu.Unlock()
	if c.victim == nil {
		panic(http.ErrAbortHandler)
	}
	at, cut := c.moment(r.URL.Path)
	if !cut {
		c.region.ServeHTTP(w, r)
		return
	}
	switch at {
	case before:
		c.kill(r)
	case within:
		if r.ContentLength == 0 { // a copy: its sender dies, the region goes on with it
			c.kill(r)
			c.region.ServeHTTP(httptest.NewRecorder(), r)
			break
		}
		half, err := io.ReadAll(io.LimitReader(r.Body, max(r.ContentLength/2, 1)))
		if err == nil {
			r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(half), broken{c, r}))
			c.region.ServeHTTP(httptest.NewRecorder(), r)
		}
	case behind:
		c.region.ServeHTTP(httptest.NewRecorder(), r)
		c.kill(r)
	}
	panic(http.ErrAbortHandler)
}

// broken is the rest of a request whose sender dies.
type broken struct {
	c *cutter
	r *http.Request
}

func (b broken) Read([]byte) (int, error) {
	b.c.kill(b.r)
	return 0, io.ErrUnexpectedEOF
}

// kill is kill -9.
func (c *cutter) kill(r *http.Request) {
	if c.victim == nil {
		return
	}
	c.victim.Signal(syscall.SIGKILL)
	c.victim = nil
	c.cuts[r.URL.Path]++
	c.total++
	c.last = fmt.Sprintf("%s %s, time %d", r.Method, r.URL.Path, c.cuts[r.URL.Path])
}

// TestAKilledPublicationIsFinishedByTheNext kills publications to a region at every object that they write. Each run goes on where
// the one before it was killed; after each the region serves the old release whole, or, once VERSION is written, the new one.
func TestAKilledPublicationIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	r := local.Start(t)
	offer(t, r, "9.1.0.0", signingKey())
	place := shop{get: r.Get, have: goods(t, "9.1.0.0", "9.2.0.0")}

	address, err := url.Parse(r.URL())
	must(t, err)
	proxy := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(address); p.Out.Host = p.In.Host },
		ErrorLog:     log.New(io.Discard, "", 0),
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }}
	c := &cutter{region: proxy, cuts: map[string]int{}}
	server := httptest.NewUnstartedServer(c)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	defer server.Close()

	run := func() (done bool) {
		cmd := publisher("--from", filepath.Join(dist, "9.2.0.0"), "--endpoint", server.URL)
		cmd.Env = append(cmd.Env, "AWS_SHARED_CREDENTIALS_FILE="+r.CredentialsFile())
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		c.mu.Lock() // a change waits until it is known whose it is
		must(t, cmd.Start())
		c.victim = cmd.Process
		c.mu.Unlock()
		err := cmd.Wait()
		if err != nil && !killed(err) {
			t.Fatalf("publish: %v\n%s", err, out.String())
		}
		return err == nil
	}
	for done := false; !done; {
		done = run()
		c.mu.Lock()
		v, err := place.whole()
		newest := done || c.cuts["/amazon-ssm-local/"+regions.LatestVersionKey] == moments
		if err != nil || v == "9.1.0.0" == newest {
			t.Fatalf("after %s the region serves %s: %v", c.last, v, err)
		}
		c.mu.Unlock()
		if c.total > 500 {
			t.Fatal("it does not come to an end")
		}
	}
	t.Logf("killed %d times at %d objects", c.total, len(c.cuts))
	for _, key := range crucial {
		if key != "lists.json" && c.cuts["/amazon-ssm-local/"+key] != moments {
			t.Errorf("%d publications were killed at %s", c.cuts["/amazon-ssm-local/"+key], key)
		}
	}
}

// TestAKilledPublicationInAFolderIsFinishedByTheNext kills publications to a folder at their system calls: before a file gets its
// name, while it is written, before it is safe on the disk.
func TestAKilledPublicationInAFolderIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	have, kills := goods(t, "9.1.0.0", "9.2.0.0"), 0
	// How many calls of a kind one thread makes, and so how often a publication can be killed, is the scheduler's.
	for folder := 0; kills < 10; folder++ {
		if folder == 10 {
			t.Fatalf("only %d runs were killed", kills)
		}
		killedInAFolder(t, have, &kills)
	}
	t.Logf("killed %d times", kills)
}

// killedInAFolder publishes to a new folder until a run is not killed.
func killedInAFolder(t *testing.T, have map[string]string, kills *int) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "copy")
	if out, err := publisher("--from", filepath.Join(dist, "9.1.0.0"), "--to", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	place := shop{have: have, get: func(key string) ([]byte, error) {
		return os.ReadFile(filepath.Join(dir, filepath.FromSlash(path.Clean(key))))
	}}
	for try := 1; ; try++ {
		if try > 200 {
			t.Fatal("it does not come to an end")
		}
		// strace counts a thread's own calls; a later one each time, so that it comes to an end
		call := []string{"renameat", "fsync", "fchmod", "openat"}[try%4]
		when := 1 + try/4
		if call == "openat" {
			when *= 12 // the program's own files come first
		}
		args := publisher("--from", filepath.Join(dist, "9.2.0.0"), "--to", dir).Args
		cmd := exec.Command("strace", append([]string{"-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e",
			fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, when)}, args...)...)
		cmd.Env = append(os.Environ(), "AWS_EC2_METADATA_DISABLED=true")
		out, err := cmd.CombinedOutput()
		if err != nil && !killed(err) {
			t.Fatalf("publish: %v\n%s", err, out)
		}
		v, broken := place.whole()
		if broken != nil || err != nil && v != "9.1.0.0" && v != "9.2.0.0" {
			t.Fatalf("after try %d the folder serves %s: %v", try, v, broken)
		}
		if err == nil && v != "9.2.0.0" {
			t.Fatalf("try %d says that it is done, and the folder serves %s", try, v)
		}
		if err == nil {
			break
		}
		*kills++
	}
	if v, err := place.whole(); err != nil || v != "9.2.0.0" {
		t.Errorf("after the last run the folder serves %s: %v", v, err)
	}
}

// killed tells whether a program ended by SIGKILL, or strace did after it.
func killed(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && (status.Signaled() && status.Signal() == syscall.SIGKILL || status.ExitStatus() == 128+int(syscall.SIGKILL))
}
