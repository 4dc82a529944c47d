package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/keyring"

	"github.com/ssm-setup/ssm-setup/installer/pack"
)

// --json is a flag like others: it may be written in their ways, and what is behind -- is none.
func TestTheFlagForJSONMayBeWrittenInAllWaysOfFlags(t *testing.T) {
	for text, want := range map[string]bool{"--json status": true, "status -json": true, "status --json=true": true, "status --json=1": true,
		"status --json=false": false, "--json status --json=false": false, "verify -- --json": false, "verify json": false,
		"status --jsonx": false, "": false} {
		if got := wants(strings.Fields(text), "json"); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
	for _, flag := range []string{"-json", "--json=true"} {
		var answer map[string]any
		if s := ssmSetup("status", "--root", t.TempDir(), flag); json.Unmarshal([]byte(s.out), &answer) != nil || s.code != 0 {
			t.Errorf("%s: %+v", flag, s)
		}
		var fault map[string]any
		if s := ssmSetup("publish", flag); json.Unmarshal([]byte(s.err), &fault) != nil || fault["hint"] == "" || s.out != "" ||
			s.code != exitUsage {
			t.Errorf("%s: %+v", flag, s)
		}
	}
}

// What is named twice is made once.
func TestWhatIsNamedTwiceIsMadeOnce(t *testing.T) {
	formats, err := pack.ParseFormats([]string{"deb", "rpm", "deb"})
	if err != nil || len(formats) != 2 {
		t.Errorf("%d formats, %v", len(formats), err)
	}
}

// A bucket that may not be listed denies a stable version that it has not: the region is readable all the same.
func TestARegionWithoutAStableVersionIsReadable(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/latest/VERSION") {
			http.Error(w, "<Error><Code>AccessDenied</Code></Error>", http.StatusForbidden)
			return
		}
		fmt.Fprintln(w, "9.1.0.0")
	}))
	t.Cleanup(s.Close)
	if got := ssmSetup("regions", "--region", "local", "--endpoint", s.URL); got.code != 0 || !strings.Contains(got.out, "9.1.0.0") {
		t.Errorf("%+v", got)
	}
}

// What keeps all public regions from being read is said once, in plain words and with a next step, and never by an error of Go for each.
func TestWhatKeepsAllRegionsFromBeingReadIsSaidOnce(t *testing.T) {
	strange := httptest.NewUnstartedServer(http.NotFoundHandler())
	strange.Config.ErrorLog = log.New(io.Discard, "", 0)
	strange.StartTLS()
	t.Cleanup(strange.Close)
	for source, want := range map[string][2]string{
		"https://{Region}.name.invalid/ssm": {"its name cannot be resolved (DNS)", "hint: check that this machine has a network"},
		strange.URL + "/{Region}":           {"its certificate is not believed", "hint: a proxy may replace certificates: name"},
		"https://127.0.0.1:1/{Region}":      {"the connection is refused", "hint: check address and port"},
	} {
		s := ssmSetup("regions", "--quiet", "--source", source)
		lines := strings.Split(strings.TrimSpace(s.out+s.err), "\n")
		if s.code != exitRegion || len(lines) != 2 || !strings.HasPrefix(lines[0], "error: cannot read any of ") ||
			!strings.HasSuffix(lines[0], " regions: "+want[0]) || !strings.HasPrefix(lines[1], want[1]) {
			t.Errorf("%s: %+v", source, s)
		}
	}
}

// A subcommand that lacks a flag, or is given more than it knows, says that and nothing else, before anything is done.
func TestASubcommandSaysWhichFlagItLacks(t *testing.T) {
	host := t.TempDir()
	for _, args := range [][]string{{"install"}, {"install", "--region", ""}, {"mirror", "--region", "local"},
		{"promote", "--region", "local"},
		{"mark", "--region", "local", "--version", "9.1.0.0"}, {"register"}, {"uninstall", "--root", host, "--purge", host},
		{"status", "--root", host, host}, {"build", "9.1.0.0"}, {"publish", "--region", "local", "dist"}, {"self-update", "--region", "local",
			"x"}, {"rollback", "9.1.0.0"}} {
		for _, asJSON := range []bool{false, true} {
			all := args
			if asJSON {
				all = append([]string{"--json"}, args...)
			}
			s := ssmSetup(all...)
			if s.code != exitUsage || s.out != "" || !strings.Contains(s.err, "hint") || !asJSON &&
				!strings.HasPrefix(s.err, "error: cannot understand the command line: ") {
				t.Errorf("%v: %+v", all, s)
			}
			var fault map[string]any
			if asJSON && json.Unmarshal([]byte(s.err), &fault) != nil {
				t.Errorf("%v: %s", all, s.err)
			}
		}
	}
}

// A build that would make nothing is a slip, and makes no folder.
func TestABuildOfNothingMakesNoFolder(t *testing.T) {
	bin, err := programs()
	must(t, err)
	out := t.TempDir()
	s := ssmSetup("build", "--bin", bin, "--platform", "linux/"+runtime.GOARCH, "--only", "msi", "--out", out)
	if left, _ := os.ReadDir(out); s.code != exitUsage || !strings.Contains(s.err, "none of these formats") || len(left) != 0 {
		t.Errorf("%+v, %v", s, left)
	}
}

// A signing command may lie in a folder with blanks in its name; else blanks part its arguments.
func TestASigningCommandMayHaveBlanksInItsPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "my tools", "sign it.sh")
	must(t, errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, nil, 0o755)))
	for text, want := range map[string][]string{path: {path}, "sign --slot 1": {"sign", "--slot", "1"}, path +
		" x": strings.Fields(path + " x"), "": nil} {
		if got := keyring.Command(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q", text, got)
		}
	}
}
