//go:build unix

package story_test

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/keyring"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	published "github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/installer/sign"
)

// attacks are what is done to a copy of the region, which is signed by the folder keys; old is what it signed before, foreign are keys that
// no host trusts.
var attacks = map[string]func(dir, work string) error{
	"none": func(string, string) error { return nil },
	"replayed": func(dir, work string) error {
		return errors.Join(os.RemoveAll(dir), os.CopyFS(dir, os.DirFS(filepath.Join(work, "old"))))
	},
	"frozen": func(dir, work string) error { // what is newer was signed so long ago that it has ended
		return resign(dir, filepath.Join(work, "keys"), false, time.Now().AddDate(0, 0, -40))
	},
	"mixed": func(dir, _ string) error {
		return os.Rename(trustFile(dir, "1.snapshot.json"), trustFile(dir, "3.snapshot.json"))
	},
	"oversized": func(dir, _ string) error {
		return change(trustFile(dir, "timestamp.json"), func(b []byte) []byte { return append(b, bytes.Repeat([]byte(" "), 1<<20)...) })
	},
	"tampered": func(dir, _ string) error {
		return change(trustFile(dir, "timestamp.json"), func(b []byte) []byte {
			return bytes.Replace(b, []byte(`"length":`), []byte(`"length":1`), 1)
		})
	},
	"stripped": func(dir, _ string) error { return os.RemoveAll(filepath.Join(dir, "trust")) },
	"stolen timestamp key": func(dir, work string) error {
		return forge(trustFile(dir, "timestamp.json"), filepath.Join(work, "keys"), trustFile(dir, "1.snapshot.json"))
	},
	"malicious mirror": func(dir, work string) error { // all is signed anew, by keys of the mirror's own
		foreign := filepath.Join(work, "foreign")
		if err := os.RemoveAll(filepath.Join(dir, "trust")); err != nil {
			return err
		}
		root, err := os.ReadFile(filepath.Join(foreign, "root.json"))
		if err == nil {
			err = resign(dir, foreign, true, time.Now())
		}
		if err == nil {
			err = os.WriteFile(trustFile(dir, "2.root.json"), root, 0o600)
		}
		return err
	},
	"tampered package": func(dir, _ string) error {
		return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.Contains(path, "/9.2.0.0/") || strings.Contains(path, "/trust/") {
				return err
			}
			return change(path, func(b []byte) []byte { b[len(b)/2] ^= 1; return b })
		})
	},
}

func trustFile(dir, name string) string { return filepath.Join(dir, "trust", name) }

// change writes a file anew; links to it keep what they had.
func change(path string, how func([]byte) []byte) error {
	b, err := os.ReadFile(path)
	if err == nil {
		err = os.Remove(path)
	}
	if err == nil {
		err = os.WriteFile(path, how(b), 0o600)
	}
	return err
}

// resign signs a folder at another time, or by other keys.
func resign(dir, keys string, anew bool, now time.Time) error {
	k, err := keyring.Region(context.Background(), keyring.Folder(keys))
	if err != nil {
		return err
	}
	k.Anew, k.Memory = anew, nil // the copy is no place of its own
	_, err = published.Refresh(context.Background(), target.Folder(dir), true,
		published.Options{Trust: k, Now: func() time.Time { return now }})
	return err
}

// forge signs a timestamp that names an old snapshot, by the key of that role alone, with a number above all.
func forge(stamp, keys, snapshot string) error {
	m, err := metadata.Timestamp().FromFile(stamp)
	if err != nil {
		return err
	}
	old, err := os.ReadFile(snapshot)
	if err != nil {
		return err
	}
	named := metadata.MetaFile(1)
	named.Length = int64(len(old))
	m.Signed.Version, m.Signed.Meta = 1000, map[string]*metadata.MetaFiles{"snapshot.json": named}
	files, err := filepath.Glob(filepath.Join(keys, "online", "timestamp-*.key"))
	if err != nil || len(files) != 1 {
		return fmt.Errorf("%v, %w", files, err)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		return err
	}
	key, err := sign.ReadKey(b, "")
	if err != nil {
		return err
	}
	signer, err := signature.LoadSigner(key, crypto.Hash(0))
	if err != nil {
		return err
	}
	m.ClearSignatures()
	if _, err := m.Sign(signer); err != nil {
		return err
	}
	return m.ToFile(stamp, false)
}

// attack has the folder local serve what an attacker made of the folder good.
func attack(ts *testscript.TestScript, s *story, args []string) {
	name := strings.Join(args, " ")
	how := attacks[name]
	if how == nil {
		ts.Fatalf("there is no attack %q", name)
	}
	next, gone, served := filepath.Join(s.work, "next"), filepath.Join(s.work, "gone"), filepath.Join(s.work, "local")
	ts.Check(os.CopyFS(next, os.DirFS(filepath.Join(s.work, "good"))))
	if err := how(next, s.work); err != nil {
		ts.Fatalf("%s: %v", name, err)
	}
	ts.Check(os.Rename(served, gone))
	ts.Check(os.Rename(next, served))
	ts.Check(os.RemoveAll(gone))
}

// wayIn is a way that something of a region comes in by: what it says, and whether it refuses. A host that looks by itself is waited
// for, until it says what is expected.
type wayIn struct {
	name string
	try  func(ts *testscript.TestScript, s *story, want *regexp.Regexp) (said string, refused bool)
}

// runs is a way in by a program; ssm-setup is the one that the scripts use.
func runs(args ...string) func(ts *testscript.TestScript, s *story, _ *regexp.Regexp) (string, bool) {
	return func(ts *testscript.TestScript, s *story, _ *regexp.Regexp) (string, bool) {
		var line []string
		for _, a := range args {
			line = append(line, strings.NewReplacer("$ROOT", s.root, "$WORK", s.work, "$ENDPOINT", s.region.URL()).Replace(a))
		}
		if line[0] == "ssm-setup" {
			line[0] = filepath.Join(built, "bin", line[0])
		}
		cmd := exec.Command(line[0], line[1:]...)
		cmd.Dir = s.work
		cmd.Env = append(os.Environ(), "HOME="+ts.Getenv("HOME"), "SSM_SETUP_HOME="+ts.Getenv("SSM_SETUP_HOME"), "PATH="+ts.Getenv("PATH"),
			"TMPDIR="+filepath.Join(s.work, "temp"))
		out, err := cmd.CombinedOutput()
		if err != nil && len(out) == 0 {
			out = []byte(err.Error())
		}
		return string(out), err != nil
	}
}

// waysIn are all of them. The installation in root has seen what the region signed last; auto is another that stays current.
func waysIn() []wayIn {
	return []wayIn{
		{"install", runs("ssm-setup", "install", "--root", "$ROOT", "--region", "local", "--endpoint", "$ENDPOINT", "--source", "$WORK/local")},
		{"update", runs("ssm-setup", "update", "--root", "$ROOT")},
		{"self-update", runs("$WORK/tool", "self-update", "--root", "$ROOT", "--region", "local", "--source", "$WORK/local")},
		{"mirror", runs("ssm-setup", "mirror", "--region", "local", "--source", "$WORK/local", "--to", "m", "--trust", "keys/root.json")},
		{"document", func(ts *testscript.TestScript, s *story, _ *regexp.Regexp) (string, bool) {
			id := s.start(ts, []string{"AWS-UpdateSSMAgent"})
			status, text := s.outcome(ts, id)
			return text, status == "Failed"
		}},
		{"stay current", func(ts *testscript.TestScript, s *story, want *regexp.Regexp) (string, bool) {
			look := runs("ssm-setup", "status", "--root", "$WORK/auto", "--json")
			why := runs("ssm-setup", "why", "--root", "$WORK/auto", "--json")
			var said string
			for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
				state, _ := look(ts, s, nil)
				decided, _ := why(ts, s, nil)
				if said = state + decided; want.MatchString(said) && strings.Contains(state, `"running":"9.1.0.0"`) {
					return said, true
				}
			}
			return said, false
		}},
	}
}

// refused tries every way in, but for those that are named after the expression: each must say what it matches, and nothing may be
// installed or left.
func refused(ts *testscript.TestScript, s *story, args []string) {
	want := regexp.MustCompile(args[0])
	before := s.installed()
	for _, w := range waysIn() {
		if slices.Contains(args[1:], w.name) {
			continue
		}
		said, no := w.try(ts, s, want)
		if !no || !want.MatchString(said) {
			ts.Fatalf("%s: refused: %v, %q expected; it said:\n%s", w.name, no, args[0], said)
		}
	}
	var after string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) { // an updater may be ending
		if after = s.installed(); after == before {
			return
		}
	}
	ts.Fatalf("before:\n%s\nafter:\n%s", before, after)
}

// installed is what an attack could change: versions of both installations, what was downloaded and not thrown away, the mirror, the tool.
func (s *story) installed() (list string) {
	for _, root := range []string{s.root, filepath.Join(s.work, "auto")} {
		l := installer.At(root)
		for _, dir := range []string{filepath.Join(l.Data(), "store"), filepath.Join(l.Data(), "download"), filepath.Join(l.Data(), "update")} {
			list += contents(dir, false)
		}
	}
	return list + contents(filepath.Join(s.work, "m"), true) + contents(filepath.Join(s.work, "temp"), true) +
		contents(filepath.Join(s.work, "tool"), true) + contents(filepath.Join(s.work, "tool.old"), true)
}

// contents are the files of a folder, with their hashes where asked for.
func contents(dir string, hashed bool) (list string) {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		list += path
		if hashed {
			b, _ := os.ReadFile(path)
			list += " " + host.SHA256Bytes(b)
		}
		list += "\n"
		return nil
	})
	return list
}
