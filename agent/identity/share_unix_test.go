//go:build unix

package identity

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// A new file is the owner's alone; one that was there keeps its mode, and the link that leads to it.
func TestASharedFileKeepsItsModeAndItsLink(t *testing.T) {
	s := share{file: filepath.Join(t.TempDir(), "aws", "credentials")}
	if err := s.write(keys{"A", "S", "T=="}); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]fs.FileMode{s.file: 0o600, filepath.Dir(s.file): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Error(path, info.Mode(), err)
		}
	}
	if err := os.Chmod(s.file, 0o640); err != nil {
		t.Fatal(err)
	}
	link := s.file + "-link"
	if err := os.Symlink(s.file, link); err != nil {
		t.Fatal(err)
	}
	if err := (share{link, "second"}).write(keys{"B", "S", "T"}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(link)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Error("the link was replaced")
	}
	if info, err := os.Stat(s.file); err != nil || info.Mode().Perm() != 0o640 {
		t.Error("the mode changed", info.Mode(), err)
	}
}

// A folder of a user's: root follows neither the user's link nor one that root did not make in a path, but root's own.
func TestOnlyRootsLinksAreFollowed(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: links of another user need root")
	}
	home, etc := t.TempDir(), t.TempDir()
	for _, dir := range []string{home, filepath.Dir(home)} { // t.TempDir is root's
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	victim := filepath.Join(etc, "victim")
	if err := os.WriteFile(victim, []byte("root's\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	users := func(name, to string) string {
		link := filepath.Join(home, name)
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
		if err := os.Lchown(link, 12345, 12345); err != nil {
			t.Fatal(err)
		}
		return link
	}
	for _, path := range []string{users("credentials", victim), filepath.Join(users(".aws", etc), "victim"),
		filepath.Join(home, ".aws", "new")} {
		s := share{file: path}
		if err := s.write(keys{"A", "S", "T"}); !errors.Is(err, errLink) {
			t.Errorf("%s: %v", path, err)
		}
		if _, err := s.read(); !errors.Is(err, errLink) {
			t.Errorf("%s is read: %v", path, err)
		}
	}
	if text, err := os.ReadFile(victim); err != nil || string(text) != "root's\n" {
		t.Errorf("%q, %v", text, err)
	}
	if files, _ := os.ReadDir(etc); len(files) != 1 {
		t.Errorf("left: %v", files)
	}
	roots := filepath.Join(home, "roots")
	if err := os.Symlink(etc, roots); err != nil {
		t.Fatal(err)
	}
	s := share{file: filepath.Join(roots, "mine")}
	if err := s.write(keys{"A", "S", "T"}); err != nil {
		t.Error(err)
	}
	if k, err := (share{file: filepath.Join(etc, "mine")}).read(); err != nil || k.access != "A" {
		t.Error(k, err)
	}
}
