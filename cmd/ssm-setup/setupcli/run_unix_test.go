//go:build unix

package setupcli

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/regions/local"
)

// tool puts a program of this name, alone, onto the search path.
func tool(t *testing.T, scripts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range scripts {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\nPATH=/usr/bin:/bin\n"+text), 0o755))
	}
	t.Setenv("PATH", dir)
	t.Setenv("T", dir)
	return dir
}

// Without gpg there is a hint, without the good-signature text a failure.
func TestWithoutGPGThereIsAHintAndWithoutAGoodSignatureAFailure(t *testing.T) {
	r := local.Start(t)
	must(t, r.Put("9.1.0.0/"+manifests.Folder("debian", runtime.GOARCH)+"/amazon-ssm-agent.deb.sig", []byte("sig")))
	client := bucket.New(bucket.Options{Base: r.URL() + "/amazon-ssm-local", Retries: -1})
	dir := t.TempDir()
	archive := filepath.Join(dir, "amazon-ssm-agent.deb")
	must(t, os.WriteFile(archive, []byte("deb"), 0o600))
	var said bytes.Buffer
	check := func() error {
		s := &run{ctx: t.Context(), own: dir, log: &levels{to: []io.Writer{&said}}}
		return s.checkSignature(client, packageFormat(t, "deb"), archive, manifests.MustVersion("9.1.0.0"))
	}
	if err := check(); err != nil || !strings.Contains(said.String(), "WARN the signature is not checked: no -public-key is given") {
		t.Errorf("without a key: %v, %s", err, &said)
	}
	must(t, os.WriteFile(filepath.Join(dir, pack.KeyName), []byte("key"), 0o600))
	tool(t, nil)
	if err := check(); err == nil || !strings.HasPrefix(err.Error(), "gpg is not installed. Please install gpg") {
		t.Errorf("without gpg: %v", err)
	}
	for text, fine := range map[string]bool{
		`case "$*" in *--verify*) echo 'gpg: Good signature from "X"' >&2 ;; esac`:           true,
		`case "$*" in *--verify*) echo 'gpg: Good signature from "X" [expired]' >&2 ;; esac`: true,
		`exit 0`: false,
		`case "$*" in *--verify*) echo 'gpg: BAD signature from "X"' >&2; exit 1 ;; esac`: false,
	} {
		tool(t, map[string]string{"gpg": text + "\n"})
		if err := check(); (err == nil) != fine || !fine && !errors.Is(err, errSignature) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Where the key of a package's signer comes from, first one first; without any, that is said.
func TestTheSignersKeyIsSoughtInOrder(t *testing.T) {
	own, root, work := t.TempDir(), t.TempDir(), t.TempDir()
	s := &run{ctx: t.Context(), own: own, agent: installation(installer.At(root)), log: &levels{}}
	want := func(path string) {
		t.Helper()
		if got, err := s.key(work); got != path || err != nil {
			t.Errorf("%s, %v; want %s", got, err, path)
		}
	}
	want("")
	s.builtIn = "a2V5"
	want(filepath.Join(work, pack.KeyName))
	if key, _ := os.ReadFile(filepath.Join(work, pack.KeyName)); string(key) != "key" {
		t.Errorf("the key built in became %q", key)
	}
	for _, path := range []string{filepath.Join(s.agent.ConfigDir(), pack.KeyFile), filepath.Join(s.agent.ConfigDir(), pack.KeyName),
		filepath.Join(own, pack.KeyName)} {
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte("key"), 0o600))
		want(path)
	}
	s.PublicKey = "/elsewhere.gpg"
	want("/elsewhere.gpg")
	s = &run{ctx: t.Context(), agent: installation(installer.At(work)), builtIn: "!", log: &levels{}}
	if _, err := s.key(work); !errors.Is(err, errSignature) {
		t.Errorf("a damaged key: %v", err)
	}
}

// An agent that says it registered, but has no instance id, is not registered.
func TestAComponentWithoutAnInstanceIDIsNotRegistered(t *testing.T) {
	root := t.TempDir()
	must(t, os.Chmod(root, 0o755))
	l := installer.At(root)
	must(t, os.MkdirAll(l.BinDir(), 0o755))
	must(t, os.WriteFile(l.Launcher(), []byte("#!/bin/sh\nexit 0\n# \x00ssm-setup-"+"version=9.1.0.0\x00\n"), 0o755))
	var out bytes.Buffer
	s := &run{ctx: t.Context(), agent: installation(l), log: &levels{to: []io.Writer{&out}},
		parameters: parameters{Region: "local", Role: "r"}}
	if err := s.registerComponent(); err == nil || !strings.Contains(err.Error(), "no instance id") ||
		strings.Contains(out.String(), "Successfully") {
		t.Errorf("%v, %s", err, &out)
	}
}
