//go:build unix

package setup

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
)

// tool puts a program of this name, alone, onto the search path.
func tool(t *testing.T, scripts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range scripts {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\nPATH=/usr/bin:/bin T="+dir+"\n"+text), 0o755))
	}
	t.Setenv("PATH", dir)
	return dir
}

// The manager that has the agent, else the first; a package that was removed is not installed.
func TestTheManagerThatHasTheAgentIsChosen(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("dpkg and rpm are package managers of Linux")
	}
	const none = "exit 1\n"
	for name, c := range map[string]struct {
		scripts map[string]string
		want    string
	}{
		"second has it": {map[string]string{"dpkg": none, "rpm": "echo amazon-ssm-agent-9.1.0.0-1\n"}, "rpm"},
		"removed": {map[string]string{"dpkg": "echo 'Status: deinstall ok config-files'\n", "rpm": "echo amazon-ssm-agent-9.1.0.0-1\n"},
			"rpm"},
		"first has it": {map[string]string{"dpkg": "echo 'Status: install ok installed'\n", "rpm": none}, "deb"},
		"none":         {map[string]string{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			tool(t, c.scripts)
			way, err := PackagingOf(installer.At(""))
			if way.Name != c.want {
				t.Errorf("%s, %v", way.Name, err)
			}
			if c.want == "" && (err == nil || err.Error() != "no supported package manager found in list: dpkg, rpm") {
				t.Errorf("%v", err)
			}
		})
	}
}

// Snap's exit code 10 is tried again, any other ends it.
func TestASnapThatIsBusyIsRemovedLater(t *testing.T) {
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
			err := removeSnap(t.Context(), time.Millisecond)
			n, _ := os.ReadFile(filepath.Join(dir, "n"))
			if (err == nil) != c.fine || bytes.Count(n, []byte("x")) != c.tries {
				t.Errorf("%v after %d tries", err, bytes.Count(n, []byte("x")))
			}
		})
	}
}

// dpkg keeps the settings of a removed package until it is purged.
func TestAPurgeReachesAPackageThatWasRemovedBefore(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("dpkg is a package manager of Linux")
	}
	const removed = "case $1 in -s) [ ! -e $T/purged ] || exit 1; echo 'Status: deinstall ok config-files' ;; -P) echo $* >$T/purged ;; esac\n"
	dir := tool(t, map[string]string{"dpkg": removed, "rpm": "exit 1\n"})
	must(t, purgePackages(t.Context(), packagersHere()))
	if said, err := os.ReadFile(filepath.Join(dir, "purged")); err != nil || string(said) != "-P amazon-ssm-agent\n" {
		t.Errorf("%q, %v", said, err)
	}
	tool(t, map[string]string{"dpkg": "[ $1 != -s ] || echo 'Status: deinstall ok config-files'\n", "rpm": "exit 1\n"})
	if err := purgePackages(t.Context(), packagersHere()); err == nil || !strings.Contains(err.Error(), "dpkg still knows the package") {
		t.Errorf("a purge without effect: %v", err)
	}
}
