package selfswap_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/selfswap"
)

func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tool")
	if err := os.WriteFile(path, []byte("old"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func sum(s string) string {
	b := sha256.Sum256([]byte(s))
	return hex.EncodeToString(b[:])
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAProgramIsReplaced(t *testing.T) {
	path := program(t)
	old, err := selfswap.Replace(path, strings.NewReader("new"), sum("new"))
	if err != nil {
		t.Fatal(err)
	}
	if read(t, path) != "new" || read(t, old) != "old" || filepath.Base(old) != "tool.old" {
		t.Errorf("%s holds %q, %s holds %q", path, read(t, path), old, read(t, old))
	}
	if info, _ := os.Stat(path); info.Mode().Perm()&0o100 == 0 {
		t.Errorf("mode %v", info.Mode())
	}
	if _, err := selfswap.Replace(path, strings.NewReader("newer"), sum("newer")); err != nil || read(t, old) != "new" {
		t.Errorf("second time: %v, old is %q", err, read(t, old))
	}
}

func TestTheTargetOfALinkIsReplaced(t *testing.T) {
	path := program(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if _, err := selfswap.Replace(link, strings.NewReader("new"), sum("new")); err != nil || read(t, path) != "new" {
		t.Errorf("%v, %q", err, read(t, path))
	}
}

func TestAWrongChecksumReplacesNothing(t *testing.T) {
	for name, want := range map[string]string{"other": sum("x"), "short": "abc", "empty": ""} {
		path := program(t)
		_, err := selfswap.Replace(path, strings.NewReader("new"), want)
		if !errors.Is(err, selfswap.ErrChecksum) {
			t.Errorf("%s: %v", name, err)
		}
		list, _ := os.ReadDir(filepath.Dir(path))
		if read(t, path) != "old" || len(list) != 1 {
			t.Errorf("%s: something was touched: %v", name, list)
		}
	}
}
