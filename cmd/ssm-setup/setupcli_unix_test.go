//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
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

// 79 to 81: the manager that has the agent, else the first; a package that was removed is not installed.
func TestSetupCLIManagers(t *testing.T) {
	const none = "exit 1\n"
	for name, c := range map[string]struct {
		scripts map[string]string
		want    string
	}{
		"second has it": {map[string]string{"dpkg": none, "rpm": "echo amazon-ssm-agent-9.1.0.0-1\n"}, "rpm"},
		"removed":       {map[string]string{"dpkg": "echo 'Status: deinstall ok config-files'\n", "rpm": "echo amazon-ssm-agent-9.1.0.0-1\n"}, "rpm"},
		"first has it":  {map[string]string{"dpkg": "echo 'Status: install ok installed'\n", "rpm": none}, "deb"},
		"none":          {map[string]string{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if runtime.GOOS != "linux" {
				return
			}
			tool(t, c.scripts)
			way, err := choosePackaging(installer.At(""))
			if way.name != c.want {
				t.Errorf("%s, %v", way.name, err)
			}
			if c.want == "" && (err == nil || err.Error() != "no supported package manager found in list: dpkg, rpm") {
				t.Errorf("%v", err)
			}
		})
	}
}

// 87: snap's exit code 10 is tried again, any other ends it.
func TestSetupCLIRemovesASnap(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		fine   bool
		tries  int
	}{
		"twice busy":  {`echo x >>$T/n; [ $(wc -l <$T/n) -gt 2 ] || exit 10`, true, 3},
		"always busy": {"echo x >>$T/n; exit 10", false, 5},
		"other":       {"echo x >>$T/n; exit 1", false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			dir := tool(t, map[string]string{"snap": c.script})
			err := removeSnap(t.Context(), func(context.Context, time.Duration) {})
			n, _ := os.ReadFile(filepath.Join(dir, "n"))
			if (err == nil) != c.fine || bytes.Count(n, []byte("x")) != c.tries {
				t.Errorf("%v after %d tries", err, bytes.Count(n, []byte("x")))
			}
		})
	}
}

// 89: without gpg there is a hint, without the good-signature text a failure.
func TestSetupCLISignature(t *testing.T) {
	r := local.Start(t)
	must(t, r.Put("9.1.0.0/"+manifests.Folder("debian", runtime.GOARCH)+"/amazon-ssm-agent.deb.sig", []byte("sig")))
	client := bucket.New(bucket.Options{Base: r.URL() + "/amazon-ssm-local", Retries: -1})
	dir := t.TempDir()
	archive := filepath.Join(dir, "amazon-ssm-agent.deb")
	must(t, os.WriteFile(archive, []byte("deb"), 0o600))
	check := func() error {
		s := &setupRun{ctx: t.Context(), own: dir, log: &levels{}}
		return s.checkSignature(client, "deb", archive, manifests.MustVersion("9.1.0.0"))
	}
	if err := check(); err != nil {
		t.Errorf("without a key: %v", err)
	}
	must(t, os.WriteFile(filepath.Join(dir, publicKey), []byte("key"), 0o600))
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
