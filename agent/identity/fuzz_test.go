package identity

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever the vault holds: a registration that is there is whole, and reading changes nothing.
func FuzzVault(f *testing.F) {
	dir := f.TempDir()
	v := vault{filepath.Join(dir, "Vault")}
	whole := record{InstanceID: "mi-0123456789abcdef0", Region: "eu-west-1", PrivateKey: "key",
		PrivateKeyCreatedDate: "2026-03-04 05:06:07.8 +0000 UTC"}
	if err := v.write(registrationKey, whole); err != nil {
		f.Fatal(err)
	}
	manifest, err := os.ReadFile(v.manifestFile())
	if err != nil {
		f.Fatal(err)
	}
	value, err := json.Marshal(whole)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(manifest, value)
	f.Add(manifest, []byte(`{"instanceID":"mi-1"`))
	f.Add([]byte(`{"`+registrationKey+`":"/nowhere/x"}`), value)
	f.Add([]byte(`{}`), value)
	f.Add([]byte(`[`), value)
	f.Fuzz(func(t *testing.T, manifest, value []byte) {
		var names map[string]string
		if json.Unmarshal(manifest, &names) == nil {
			for _, path := range names {
				if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
					return // what is read of a device has no end
				}
			}
		}
		v := vault{t.TempDir()}
		if err := os.Mkdir(v.store(), 0o700); err != nil {
			t.Fatal(err)
		}
		for path, text := range map[string][]byte{v.manifestFile(): manifest, filepath.Join(v.store(), registrationKey): value} {
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r, err := readRecord(v)
		if err == nil && r.complete() && (r.InstanceID == "" || r.Region == "") {
			t.Errorf("%+v", r)
		}
		if now, err := os.ReadFile(v.manifestFile()); err != nil || string(now) != string(manifest) {
			t.Errorf("the manifest became %q, %v", now, err)
		}
	})
}

// Credentials that were put into a file are found there, and the lines of others stay.
func FuzzShared(f *testing.F) {
	f.Add("[default]\nregion = eu-west-1\naws_access_key_id = OLD\n[other]\naws_secret_access_key = x\n", "default")
	f.Add("# a comment\r\n[ agent ]\r\nAWS_SESSION_TOKEN=x\r\n", "agent")
	f.Add("", "")
	f.Add("[default", "default")
	f.Fuzz(func(t *testing.T, text, profile string) {
		if profile != strings.TrimSpace(profile) || strings.ContainsAny(profile, "]\r\n[\x00") {
			return // no name of a profile
		}
		s := share{file: filepath.Join(t.TempDir(), "credentials"), profile: profile}
		if err := os.WriteFile(s.file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		want := keys{"A", "S", "T"}
		if err := s.write(want); err != nil {
			t.Fatal(err)
		}
		if got, err := s.read(); err != nil || got != want {
			now, _ := os.ReadFile(s.file)
			t.Fatalf("%+v, %v of %q, which was %q", got, err, now, text)
		}
		for line := range strings.Lines(text) {
			if now, _ := os.ReadFile(s.file); !credentialLine(line) && !strings.Contains(string(now), strings.TrimSuffix(line, "\n")) {
				t.Fatalf("%q was lost", line)
			}
		}
	})
}
