package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/keyring"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/ssm-setup/ssm-setup/installer/pack"
)

// --json is a flag like others: it may be written in their ways, and what is behind -- is none.
func TestTheFlagForJSONMayBeWrittenInAllWaysOfFlags(t *testing.T) {
	for text, want := range map[string]bool{"--json status": true, "status -json": true, "status --json=true": true, "status --json=1": true,
		"status --json=false": false, "--json status --json=false": false, "verify -- --json": false, "verify json": false,
		"status --jsonx": false, "": false} {
		if got := wantsJSON(strings.Fields(text)); got != want {
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

// A demo with --json says its story as progress; the result is the only object.
func TestADemoWithJSONSaysItsStoryAsProgress(t *testing.T) {
	var out, errs bytes.Buffer
	s := &show{printer: newPrinter(nil, &out, &errs)}
	s.printer.json = true
	s.say("")
	s.say("scene %d", 1)
	if out.Len() != 0 || strings.TrimSpace(errs.String()) != `{"step":"scene 1"}` {
		t.Errorf("%q, %q", &out, &errs)
	}
}

// A file of keys for --trust goes into every package as it is: no key in it may be private, the first or another, nor a subkey.
func TestTrustTakesNoPrivateKey(t *testing.T) {
	config := &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, Curve: packet.Curve25519}
	var public, second, subkey bytes.Buffer
	for n, to := range []*bytes.Buffer{&public, &second} {
		e, err := openpgp.NewEntity("Tests", "", "tests@example.com", config)
		must(t, err)
		must(t, e.Serialize(to))
		if n == 1 {
			to.Write(public.Bytes())
			must(t, e.SerializePrivateWithoutSigning(to, nil))
		}
	}
	e, err := openpgp.NewEntity("Tests", "", "tests@example.com", config)
	must(t, err)
	must(t, e.PrimaryKey.Serialize(&subkey))
	for _, id := range e.Identities {
		must(t, errors.Join(id.UserId.Serialize(&subkey), id.SelfSignature.Serialize(&subkey)))
	}
	must(t, errors.Join(e.Subkeys[0].PrivateKey.Serialize(&subkey), e.Subkeys[0].Sig.Serialize(&subkey)))
	dir := t.TempDir()
	for name, text := range map[string]*bytes.Buffer{"second": &second, "subkey": &subkey} {
		path := dir + "/" + name
		must(t, os.WriteFile(path, text.Bytes(), 0o600))
		if _, _, err := trusts([]string{path}); err == nil || !strings.Contains(err.Error(), "holds a private key") {
			t.Errorf("%s: %v", name, err)
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

// With --json what other programs say is JSON, too, a line of theirs a line of ours.
func TestWhatOtherProgramsSayIsJSONToo(t *testing.T) {
	var errs bytes.Buffer
	v := newPrinter(nil, nil, &errs)
	v.json = true
	to := v.log()
	for _, part := range []string{"one\ntw", "o\n", "rest"} {
		fmt.Fprint(to, part)
	}
	if errs.String() != "{\"log\":\"one\"}\n{\"log\":\"two\"}\n" {
		t.Errorf("%q", &errs)
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

// build --trust takes a root and a key, one of each, and no private one.
func TestTrustTakesOneRootAndOneKey(t *testing.T) {
	k := newKeys(t)
	root, key, err := trusts([]string{k.file("public.asc"), k.file("root.json")})
	if err != nil || string(root) != `{"signed": {}}` || !bytes.HasPrefix(key, []byte("-----BEGIN PGP PUBLIC KEY BLOCK-----")) {
		t.Errorf("%s, %.20s, %v", root, key, err)
	}
	for wrong, paths := range map[string][]string{
		"no OpenPGP public key either": {k.file("junk")},
		"holds a private key":          {k.file("private.asc")},
		"the second of its kind":       {k.file("public.asc"), k.file("public.asc")},
		"cannot read --trust":          {k.file("missing")},
	} {
		if _, _, err := trusts(paths); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%v: %v", paths, err)
		}
	}
}
