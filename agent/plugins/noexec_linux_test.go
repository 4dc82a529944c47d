package plugins_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// noExec is a folder from which nothing can be executed.
func noExec(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to mount a file system")
	}
	dir := t.TempDir()
	if err := syscall.Mount("ssm", dir, "tmpfs", syscall.MS_NOEXEC, "size=1m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestAScriptRunsFromAFileSystemMountedNoExec(t *testing.T) {
	dir := noExec(t)
	for first, want := range map[string]string{
		"echo $0":                           "/_script.sh\n",
		"#!/bin/sh -e\nfalse\necho no":      "",
		"#!\t/usr/bin/env  sh\necho $-; : ": "\n",
		"#!":                                "",
	} {
		b := newBench(t, lines(first))
		b.Directory = filepath.Join(dir, "one")
		o := action(t, "aws:runShellScript").Run(t.Context(), b.Call)
		failed := strings.Contains(first, "false")
		if (o.Status == wire.Failed) != failed || !strings.HasSuffix(b.stdout.String(), want) || strings.Contains(b.stderr.String(), "denied") {
			t.Errorf("%q: %+v %q %q", first, o, b.stdout.String(), b.stderr.String())
		}
	}
}

func TestAScriptThatCannotRunForNoExecSaysSo(t *testing.T) {
	dir := noExec(t)
	interpreter := filepath.Join(dir, "interpreter")
	if err := os.WriteFile(interpreter, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for where, directory := range map[string]string{"beside it": dir, "elsewhere": t.TempDir()} {
		b := newBench(t, lines("#!"+interpreter, "echo no"))
		b.Directory = filepath.Join(directory, "one")
		o := action(t, "aws:runShellScript").Run(t.Context(), b.Call)
		if o.Status != wire.Failed || !strings.HasSuffix(b.stderr.String(), interpreter+" lies on a file system that is mounted noexec") {
			t.Errorf("%s: %+v %q", where, o, b.stderr.String())
		}
	}
}
