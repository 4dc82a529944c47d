package signed_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata/config"
	"github.com/theupdateframework/go-tuf/v2/metadata/updater"

	"github.com/ssm-setup/ssm-setup/installer/signed"
)

var errAbsent = errors.New("absent")

// objects is a bucket.
type objects map[string][]byte

func (o objects) reading() signed.Reading {
	return signed.Reading{Absent: func(err error) bool { return errors.Is(err, errAbsent) },
		Read: func(_ context.Context, key string, _ int64) ([]byte, error) {
			if b, ok := o[key]; ok {
				return b, nil
			}
			return nil, errAbsent
		}}
}

func (o objects) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, ok := o[strings.TrimPrefix(r.URL.Path, "/")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Write(b)
}

// folder is a folder of keys with one key a role, and its first root.
func folder(t *testing.T, kind string) *signed.Folder {
	t.Helper()
	f := &signed.Folder{Dir: t.TempDir(), Getenv: func(string) string { return "" }}
	must(t, f.Init(signed.DefaultDays()))
	keys := map[string][]crypto.PublicKey{}
	for _, role := range signed.Roles() {
		keys[role] = []crypto.PublicKey{made(t, f, kind, role)}
	}
	root, err := signed.NewRoot(keys, nil, time.Now().AddDate(1, 0, 0))
	must(t, err)
	must(t, f.Save())
	if !completed(t, f, root) {
		t.Fatal("the first root wants signatures still")
	}
	return f
}

func made(t *testing.T, f *signed.Folder, kind, role string) crypto.PublicKey {
	t.Helper()
	sub := signed.OnlineAt
	if role == signed.Root {
		sub = signed.OfflineAt
	}
	public, err := f.Make(kind, sub, role)
	must(t, err)
	return public
}

// completed signs a root by all keys of a folder, and tells whether it is signed to its end then.
func completed(t *testing.T, f *signed.Folder, root *signed.RootFile) bool {
	t.Helper()
	roots, err := f.Roots()
	must(t, err)
	var before *signed.RootFile
	if len(roots) > 0 {
		before = roots[len(roots)-1]
	}
	for _, r := range []*signed.RootFile{before, root} {
		if r == nil {
			continue
		}
		for _, s := range ring(t, f, r, signed.Root) {
			_, err := root.Sign(t.Context(), s, before)
			must(t, err)
		}
	}
	whole, err := f.Put(root)
	must(t, err)
	return whole
}

func ring(t *testing.T, f *signed.Folder, root *signed.RootFile, roles ...string) signed.Ring {
	t.Helper()
	r, err := f.Ring(t.Context(), root, roles...)
	must(t, err)
	return r
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// released has a region sign a list of files.
func released(t *testing.T, f *signed.Folder, o objects, c signed.Change) []signed.Object {
	t.Helper()
	roots, err := f.Roots()
	must(t, err)
	tree, err := signed.Read(t.Context(), roots, o.reading())
	must(t, err)
	root := roots[len(roots)-1]
	if tree == nil {
		tree = signed.New(root, nil)
	}
	if c.Now.IsZero() {
		c.Now = time.Now()
	}
	c.Days = f.Days()
	list, err := tree.Sign(t.Context(), ring(t, f, root, signed.Roles()...), c)
	must(t, err)
	for _, r := range roots {
		b, err := r.Bytes()
		must(t, err)
		o[signed.RootKey(r.Version())] = b
	}
	for _, one := range list {
		o[one.Key] = one.Bytes
	}
	return list
}

// listed is what go-tuf's own client makes of a bucket: the file that it lists under a key.
func listed(t *testing.T, o objects, root []byte, key string) (length int64, custom string, err error) {
	t.Helper()
	s := httptest.NewServer(o)
	defer s.Close()
	c, err := config.New(s.URL+"/trust", root)
	must(t, err)
	c.RemoteTargetsURL, c.PrefixTargetsWithHash, c.DisableLocalCache = s.URL, false, true
	u, err := updater.New(c)
	if err != nil {
		return 0, "", err
	}
	if err := u.Refresh(); err != nil {
		return 0, "", err
	}
	info, err := u.GetTargetInfo(key)
	if err != nil {
		return 0, "", err
	}
	if _, b, err := u.DownloadTarget(info, filepath.Join(t.TempDir(), "file"), s.URL); err != nil || !bytes.Equal(b, o[key]) {
		return 0, "", fmt.Errorf("download: %w", err)
	}
	if info.Custom != nil {
		custom = string(*info.Custom)
	}
	return info.Length, custom, nil
}

func file(content string, unpacked int64) signed.File {
	sum := sha256.Sum256([]byte(content))
	return signed.File{Length: int64(len(content)), SHA256: hex.EncodeToString(sum[:]), Unpacked: unpacked}
}

func TestWhatIsSignedIsARepositoryForGoTUF(t *testing.T) {
	for _, kind := range []string{signed.Ed25519, signed.ECDSA} {
		f, o := folder(t, kind), objects{"p/9.1.0.0/a.tar.gz": []byte("package")}
		released(t, f, o, signed.Change{Files: map[string]signed.File{"p/9.1.0.0/a.tar.gz": file("package", 70)}})
		length, custom, err := listed(t, o, o["trust/1.root.json"], "p/9.1.0.0/a.tar.gz")
		if err != nil || length != 7 || custom != `{"unpacked":70}` {
			t.Errorf("%s: %d %s %v", kind, length, custom, err)
		}
	}
}

func TestARootIsExchangedInStepsOnSeveralMachines(t *testing.T) {
	f, o := folder(t, signed.Ed25519), objects{"a": []byte("one")}
	released(t, f, o, signed.Change{Files: map[string]signed.File{"a": file("one", 0)}})
	first := o["trust/1.root.json"]

	other := &signed.Folder{Dir: t.TempDir(), Getenv: func(string) string { return "" }} // another machine, with the second root key
	must(t, other.Init(nil))
	second := made(t, other, signed.Ed25519, signed.Root)
	next, err := f.Begin(time.Now())
	must(t, err)
	must(t, next.Add(signed.Root, second))
	must(t, next.SetThreshold(signed.Root, 2))
	if completed(t, f, next) {
		t.Fatal("one of two keys was enough")
	}
	released(t, f, o, signed.Change{All: true}) // the region goes on by the first root
	if o["trust/2.root.json"] != nil {
		t.Error("a root that wants signatures was published")
	}
	b, err := os.ReadFile(f.NextPath())
	must(t, err)
	there, err := signed.ParseRoot(b)
	must(t, err)
	id, err := signed.IDOf(second)
	must(t, err)
	entry, _ := other.Entry(id)
	if entry.Place == "" {
		t.Fatal("the other machine does not know its key")
	}
	added, err := there.Sign(t.Context(), ring(t, other, there, signed.Root)[id], nil)
	if err != nil || !added {
		t.Fatal(added, err)
	}
	if whole, err := f.Put(there); err != nil || !whole {
		t.Fatal(whole, err)
	}
	released(t, f, o, signed.Change{All: true})
	if _, _, err := listed(t, o, first, "a"); err != nil || o["trust/2.root.json"] == nil {
		t.Errorf("from the first root: %v", err)
	}
}

func TestAStolenTimestampKeyIsWorthNothingAfterItsExchange(t *testing.T) {
	f, o := folder(t, signed.Ed25519), objects{"a": []byte("one")}
	released(t, f, o, signed.Change{Files: map[string]signed.File{"a": file("one", 0)}})
	stolen := bytes.Clone(o["trust/timestamp.json"])
	roots, err := f.Roots()
	must(t, err)
	old := roots[0].Role(signed.Timestamp).Keys[0]
	next, err := f.Begin(time.Now())
	must(t, err)
	must(t, next.Add(signed.Timestamp, made(t, f, signed.Ed25519, signed.Timestamp)))
	must(t, next.Remove(signed.Timestamp, old))
	must(t, f.Save())
	if !completed(t, f, next) {
		t.Fatal("one root key signs")
	}
	if list := released(t, f, o, signed.Change{}); len(list) == 0 {
		t.Error("nothing was signed anew, though hosts do not take the old key any more")
	}
	if _, _, err := listed(t, o, o["trust/1.root.json"], "a"); err != nil {
		t.Error(err)
	}
	o["trust/timestamp.json"] = stolen
	if _, _, err := listed(t, o, o["trust/1.root.json"], "a"); err == nil {
		t.Error("the stolen key's timestamp was taken")
	}
}

func TestWhatIsNotDueIsNotSignedAgain(t *testing.T) {
	f, o, now := folder(t, signed.Ed25519), objects{"a": []byte("one")}, time.Now()
	files := map[string]signed.File{"a": file("one", 0)}
	names := func(list []signed.Object) (s string) {
		for _, one := range list {
			s += strings.TrimPrefix(one.Key, "trust/") + " "
		}
		return s
	}
	for _, c := range []struct {
		after time.Duration
		want  string
	}{
		{0, "1.targets.json 1.snapshot.json timestamp.json "},
		{time.Hour, ""},
		{4 * 24 * time.Hour, "timestamp.json "},
		{16 * 24 * time.Hour, "2.snapshot.json timestamp.json "},
		{91 * 24 * time.Hour, "2.targets.json 3.snapshot.json timestamp.json "},
	} {
		if got := names(released(t, f, o, signed.Change{Files: files, Now: now.Add(c.after)})); got != c.want {
			t.Errorf("after %v: %s, want %s", c.after, got, c.want)
		}
	}
}

func TestOnlineKeysRenewWithoutThoseOfTargets(t *testing.T) {
	f, o, now := folder(t, signed.Ed25519), objects{}, time.Now()
	released(t, f, o, signed.Change{Files: map[string]signed.File{"a": file("one", 0)}, Now: now})
	roots, err := f.Roots()
	must(t, err)
	tree, err := signed.Read(t.Context(), roots, o.reading())
	must(t, err)
	online := ring(t, f, roots[0], signed.Snapshot, signed.Timestamp)
	list, err := tree.Sign(t.Context(), online, signed.Change{Now: now.AddDate(0, 0, 100), Days: f.Days()})
	if err != nil || len(list) != 2 {
		t.Errorf("%d files, %v", len(list), err)
	}
	_, err = tree.Sign(t.Context(), online, signed.Change{Files: map[string]signed.File{}, Now: now, Days: f.Days()})
	if !errors.Is(err, signed.ErrKeys) {
		t.Errorf("a changed list: %v", err)
	}
}

func TestATreeThatAnotherHandSignedIsNotExtended(t *testing.T) {
	f, o := folder(t, signed.Ed25519), objects{}
	released(t, f, o, signed.Change{Files: map[string]signed.File{"a": file("one", 0)}})
	roots, err := f.Roots()
	must(t, err)
	foreign := objects{}
	released(t, folder(t, signed.Ed25519), foreign, signed.Change{Files: map[string]signed.File{"a": file("evil", 0)}})
	for name, change := range map[string]func(objects){
		"all": func(o objects) {
			clear(o)
			for k, v := range foreign {
				o[k] = v
			}
		},
		"timestamp": func(o objects) { o["trust/timestamp.json"] = foreign["trust/timestamp.json"] },
		"targets":   func(o objects) { o["trust/1.targets.json"] = foreign["trust/1.targets.json"] },
		"snapshot":  func(o objects) { o["trust/1.snapshot.json"] = foreign["trust/1.snapshot.json"] },
		"no JSON":   func(o objects) { o["trust/timestamp.json"] = []byte("<html>") },
		"missing":   func(o objects) { delete(o, "trust/1.targets.json") },
	} {
		bad := objects{}
		for k, v := range o {
			bad[k] = v
		}
		change(bad)
		if _, err := signed.Read(t.Context(), roots, bad.reading()); !errors.Is(err, signed.ErrTree) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSecretsAreFilesOfTheirOwnerAlone(t *testing.T) {
	f := &signed.Folder{Dir: t.TempDir(), Getenv: func(string) string { return "horse battery" }}
	must(t, f.Init(nil))
	public := made(t, f, signed.ECDSA, signed.Root)
	id, err := signed.IDOf(public)
	must(t, err)
	e, _ := f.Entry(id)
	path := filepath.Join(f.Dir, e.Place)
	info, err := os.Stat(path)
	must(t, err)
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	b, err := os.ReadFile(path)
	must(t, err)
	if !bytes.Contains(b, []byte("ENCRYPTED")) {
		t.Error("the passphrase was not used")
	}
	must(t, f.Save())
	book, err := os.ReadFile(filepath.Join(f.Dir, "keys.json"))
	if err != nil || bytes.Contains(book, []byte("PRIVATE")) {
		t.Error("keys.json holds a secret", err)
	}
	root, err := signed.NewRoot(map[string][]crypto.PublicKey{signed.Root: {public}, signed.Targets: {public}, signed.Snapshot: {public},
		signed.Timestamp: {public}}, nil, time.Now())
	must(t, err)
	if len(ring(t, f, root, signed.Root)) != 1 {
		t.Error("the right passphrase does not open it")
	}
	for _, wrong := range []string{"", "another"} {
		g := &signed.Folder{Dir: f.Dir, Getenv: func(string) string { return wrong }}
		must(t, g.Open())
		if _, err := g.Ring(t.Context(), root, signed.Root); !errors.Is(err, signed.ErrPassphrase) {
			t.Errorf("passphrase %q: %v", wrong, err)
		}
	}
	refusesOpenFiles(t, f, path, root)
}

func refusesOpenFiles(t *testing.T, f *signed.Folder, path string, root *signed.RootFile) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("access lists are the folder's")
	}
	must(t, os.Chmod(path, 0o644))
	if _, err := f.Ring(t.Context(), root, signed.Root); !errors.Is(err, signed.ErrKey) {
		t.Errorf("a secret that all may read: %v", err)
	}
}

func TestACommandSignsAndIsNotBelieved(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the command is a shell script")
	}
	dir := t.TempDir()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	text, err := signed.PublicPEM(private.Public())
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "public.pem"), []byte(text), 0o600))
	sum := sha256.Sum256([]byte("another message"))
	sig, err := private.Sign(rand.Reader, sum[:], crypto.SHA256)
	must(t, err)
	script := filepath.Join(dir, "hsm")
	must(t, os.WriteFile(script, []byte("#!/bin/sh\n[ \"$2\" = public ] && exec cat "+dir+"/public.pem\ncat >/dev/null\nbase64 <<'X'\n"+
		string(sig)+"\nX\n"), 0o700))
	f := &signed.Folder{Dir: t.TempDir(), Getenv: func(string) string { return "" }}
	must(t, f.Init(nil))
	public, err := f.Know(t.Context(), "command:"+script)
	must(t, err)
	keys := map[string][]crypto.PublicKey{}
	for _, role := range signed.Roles() {
		keys[role] = []crypto.PublicKey{public}
	}
	root, err := signed.NewRoot(keys, nil, time.Now())
	must(t, err)
	for _, s := range ring(t, f, root, signed.Root) {
		if _, err := root.Sign(t.Context(), s, nil); !errors.Is(err, signed.ErrCommand) {
			t.Errorf("a signature of something else: %v", err)
		}
	}
}

func TestAKeyThatWasCarriedAwayIsLeftOut(t *testing.T) {
	f := folder(t, signed.Ed25519)
	must(t, os.Rename(filepath.Join(f.Dir, signed.OfflineAt), filepath.Join(t.TempDir(), "safe")))
	roots, err := f.Roots()
	must(t, err)
	r := ring(t, f, roots[0], signed.Roles()...)
	if len(r) != 3 || r.Reaches(roots[0], signed.Root) || !r.Reaches(roots[0], signed.Targets) {
		t.Errorf("%d keys", len(r))
	}
	if _, err := r.For(roots[0], signed.Root); !errors.Is(err, signed.ErrKeys) || errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
