//go:build unix

package identity

import (
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
