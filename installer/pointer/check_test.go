//go:build unix

package pointer_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

const program = "#!/bin/sh\n"

// planted makes a root with one sound version.
func planted(t *testing.T) (pointer.Paths, pointer.Target) {
	t.Helper()
	p := pointer.At(filepath.Join(t.TempDir(), "root"))
	sum := sha256.Sum256([]byte(program))
	v := pointer.Target{Version: "9.2.0.0", Hash: hex.EncodeToString(sum[:])}
	for _, target := range []pointer.Target{v, pointer.OnFloor()} {
		if err := os.MkdirAll(filepath.Dir(p.File(target)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p.File(target), []byte(program), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return p, v
}

func TestAnUnsoundVersionIsNotStarted(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(p pointer.Paths, v pointer.Target) error
		want  error // nil: sound
	}{
		{"sound", func(pointer.Paths, pointer.Target) error { return nil }, nil},
		{"group may write the file", func(p pointer.Paths, v pointer.Target) error { return os.Chmod(p.File(v), 0o775) }, pointer.ErrUnsound},
		{"others may write the file", func(p pointer.Paths, v pointer.Target) error { return os.Chmod(p.File(v), 0o757) }, pointer.ErrUnsound},
		{"not executable", func(p pointer.Paths, v pointer.Target) error { return os.Chmod(p.File(v), 0o644) }, pointer.ErrUnsound},
		{
			"others may write the version",
			func(p pointer.Paths, v pointer.Target) error { return os.Chmod(p.Version(v.Version), 0o777) }, pointer.ErrUnsound,
		},
		{"group may write the store", func(p pointer.Paths, _ pointer.Target) error { return os.Chmod(p.StoreDir(), 0o775) }, pointer.ErrUnsound},
		{"others may write the root", func(p pointer.Paths, _ pointer.Target) error { return os.Chmod(p.Root, 0o777) }, pointer.ErrUnsound},
		{
			"others may write above the root", func(p pointer.Paths, _ pointer.Target) error { return os.Chmod(filepath.Dir(p.Root), 0o777) },
			pointer.ErrUnsound,
		},
		{
			"other content", func(p pointer.Paths, v pointer.Target) error { return os.WriteFile(p.File(v), []byte("x"), 0o755) },
			pointer.ErrUnsound,
		},
		{"missing", func(p pointer.Paths, v pointer.Target) error { return os.Remove(p.File(v)) }, fs.ErrNotExist},
		{"a folder", func(p pointer.Paths, v pointer.Target) error {
			return errors.Join(os.Remove(p.File(v)), os.Mkdir(p.File(v), 0o755))
		}, pointer.ErrUnsound},
		{"the store is a link to a sound place", func(p pointer.Paths, _ pointer.Target) error { return moveAside(p, 0o755) }, nil},
		{
			"the store is a link to an open place", func(p pointer.Paths, _ pointer.Target) error { return moveAside(p, 0o777) },
			pointer.ErrUnsound,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, v := planted(t)
			if err := c.spoil(p, v); err != nil {
				t.Fatal(err)
			}
			file, err := pointer.Check(p, v)
			if !errors.Is(err, c.want) || (err == nil && file != p.File(v)) {
				t.Errorf("Check = %q, %v; want %v", file, err, c.want)
			}
		})
	}
}

// moveAside puts the store behind a link, inside the root.
func moveAside(p pointer.Paths, mode fs.FileMode) error {
	elsewhere := filepath.Join(p.Root, "elsewhere")
	return errors.Join(os.Mkdir(elsewhere, 0o755), os.Chmod(elsewhere, mode),
		os.Rename(p.StoreDir(), filepath.Join(elsewhere, "store")), os.Symlink(filepath.Join(elsewhere, "store"), p.StoreDir()))
}

func TestTheFloorsFileIsChecked(t *testing.T) {
	p, _ := planted(t)
	if _, err := pointer.Check(p, pointer.OnFloor()); err != nil {
		t.Error(err)
	}
	if err := os.Chmod(p.Root, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := pointer.Check(p, pointer.OnFloor()); !errors.Is(err, pointer.ErrUnsound) {
		t.Errorf("others may write the root: %v", err)
	}
	if err := os.Chmod(p.Root, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(p.Worker(), 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := pointer.Check(p, pointer.OnFloor()); !errors.Is(err, pointer.ErrUnsound) {
		t.Error(err)
	}
}

func TestEveryTokenIsTakenOnce(t *testing.T) {
	p, _ := planted(t)
	if err := pointer.TakeToken(p, 5); !errors.Is(err, pointer.ErrNoToken) {
		t.Errorf("without a folder: %v", err)
	}
	if err := os.MkdirAll(p.Probation(5), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range pointer.TokenNames() {
		os.WriteFile(filepath.Join(p.Probation(5), name), nil, 0o600)
	}
	for left := 3; left > 0; left-- {
		if n := pointer.Tokens(p, 5); n != left {
			t.Fatalf("%d tokens, want %d", n, left)
		}
		if err := pointer.TakeToken(p, 5); err != nil {
			t.Fatal(err)
		}
	}
	if err := pointer.TakeToken(p, 5); !errors.Is(err, pointer.ErrNoToken) {
		t.Error(err)
	}
}
