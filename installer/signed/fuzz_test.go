package signed_test

import (
	"context"
	"crypto"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/signed"
)

// seeded is a folder of keys with one root, and a tree that it signed, as files of a bucket.
func seeded(f *testing.F) (folder *signed.Folder, root *signed.RootFile, objects map[string][]byte, tree *signed.Tree) {
	f.Helper()
	folder = &signed.Folder{Dir: f.TempDir(), Getenv: func(string) string { return "" }}
	fine := func(err error) {
		f.Helper()
		if err != nil {
			f.Fatal(err)
		}
	}
	fine(folder.Init(signed.DefaultDays()))
	keys := map[string][]crypto.PublicKey{}
	for _, role := range signed.Roles() {
		kind := signed.Ed25519
		if role == signed.Timestamp {
			kind = signed.ECDSA
		}
		public, err := folder.Make(kind, signed.OnlineAt, role)
		fine(err)
		keys[role] = []crypto.PublicKey{public}
	}
	root, err := signed.NewRoot(keys, nil, time.Now().AddDate(1, 0, 0))
	fine(err)
	ring, err := folder.Ring(f.Context(), root, signed.Roles()...)
	fine(err)
	for _, s := range ring {
		_, err := root.Sign(f.Context(), s, nil)
		fine(err)
	}
	_, err = folder.Put(root)
	fine(err)
	fine(folder.Save())
	tree = signed.New(root, nil)
	made, err := tree.Sign(f.Context(), ring, signed.Change{Now: time.Now(), Files: map[string]signed.File{
		"amazon-ssm-agent/9.1.0.0/a.tar.gz": {Length: 3, SHA256: "aa", Unpacked: 9}}})
	fine(err)
	objects = map[string][]byte{}
	for _, o := range made {
		objects[o.Key] = o.Bytes
	}
	return folder, root, objects, tree
}

// FuzzFolder reads keys.json; nothing that it names is opened.
func FuzzFolder(f *testing.F) {
	folder, _, _, _ := seeded(f)
	b, err := os.ReadFile(filepath.Join(folder.Dir, "keys.json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"schema":1,"days":{"root":-1},"keys":[{"id":"","place":"env:X"},{"id":"ab","place":"../../x"}]}`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, "keys.json"), b, 0o600); err != nil {
			t.Fatal(err)
		}
		read := &signed.Folder{Dir: dir}
		if err := read.Open(); err != nil {
			if !errors.Is(err, signed.ErrFolder) {
				t.Fatal(err)
			}
			return
		}
		for _, role := range signed.Roles() {
			if read.Days().Of(role) <= 0 {
				t.Fatalf("%s counts %d days", role, read.Days().Of(role))
			}
		}
		if e, ok := read.Entry("a"); ok && e.ID == "" {
			t.Fatal("a key without an id was found")
		}
	})
}

// FuzzRoot reads a root that a person names, or that came from another machine.
func FuzzRoot(f *testing.F) {
	folder, root, _, _ := seeded(f)
	b, err := root.Bytes()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	next, err := folder.Begin(time.Now())
	if err != nil {
		f.Fatal(err)
	}
	if b, err = next.Bytes(); err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := signed.ParseRoot(b)
		if err != nil {
			return
		}
		_, _ = r.Missing(root)
		if r.Follows(root) == nil {
			t.Fatal("a root that no key signed follows")
		}
		for _, role := range signed.Roles() {
			_ = r.Role(role)
		}
		text, err := r.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := signed.ParseRoot(text); err != nil || !again.Same(r) {
			t.Fatalf("read again it is another one: %v", err)
		}
	})
}

// FuzzTree reads what lies in a bucket; only what the keys signed is taken.
func FuzzTree(f *testing.F) {
	_, root, objects, _ := seeded(f)
	keys := []string{signed.TimestampKey, "trust/1.snapshot.json", "trust/1.targets.json"}
	for n, key := range keys {
		f.Add(n, objects[key])
		f.Add(n, []byte(`{"signatures":[],"signed":{"_type":"timestamp","version":1,"meta":{}}}`))
	}
	absent := errors.New("absent")
	f.Fuzz(func(t *testing.T, which int, b []byte) {
		key := keys[((which%len(keys))+len(keys))%len(keys)]
		tree, err := signed.Read(t.Context(), []*signed.RootFile{root}, signed.Reading{
			Absent: func(err error) bool { return errors.Is(err, absent) },
			Read: func(_ context.Context, k string, _ int64) ([]byte, error) {
				if k == key {
					return b, nil
				}
				if o, ok := objects[k]; ok {
					return o, nil
				}
				return nil, absent
			}})
		if err == nil && (tree == nil || tree.Files()["amazon-ssm-agent/9.1.0.0/a.tar.gz"].Unpacked != 9) {
			t.Fatal("what was read is not what was signed")
		}
		for role, n := range signed.Numbers(b, b) {
			if n < 0 {
				t.Fatalf("%s has number %d", role, n)
			}
		}
	})
}

// FuzzMemory reads what a folder remembers of a region; what it would put back are signed files by their names.
func FuzzMemory(f *testing.F) {
	folder, _, _, tree := seeded(f)
	m := folder.Memory()
	if err := m.Note(f.Context(), "s3://a", tree, time.Now(), true); err != nil {
		f.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(folder.Dir, "regions", "*.json"))
	if err != nil || len(files) != 1 {
		f.Fatal(files, err)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"schema":1,"place":"s3://a","last":{"versions":{"timestamp":1},"files":{"../x":"y"}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(files[0], b, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := m.Of("s3://a")
		if err != nil || r == nil {
			return
		}
		objects := r.Objects()
		if len(objects) != 3 || objects[2].Key != signed.TimestampKey {
			t.Fatalf("%d files to put back", len(objects))
		}
		for _, o := range objects {
			if len(o.Bytes) == 0 || filepath.Dir(o.Key) != "trust" {
				t.Fatalf("%q would be put back, with %d bytes", o.Key, len(o.Bytes))
			}
		}
	})
}
