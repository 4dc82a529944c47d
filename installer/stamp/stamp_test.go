package stamp_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/stamp"
)

func TestFindInALinkedBinary(t *testing.T) {
	dir := t.TempDir()
	src := filepath.Join(dir, "main.go")
	os.WriteFile(src, []byte(`package main
import "github.com/ssm-setup/ssm-setup/installer/stamp"
func main() { println(stamp.Version()) }
`), 0o600)
	bin := filepath.Join(dir, "bin")
	cmd := exec.Command("go", "build", "-ldflags", "-s -w -X github.com/ssm-setup/ssm-setup/installer/stamp.mark=ssm-setup-version=9.8.7.6", "-o", bin, src)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, _ := exec.Command(bin).CombinedOutput()
	if got := strings.TrimSpace(string(out)); got != "9.8.7.6" {
		t.Errorf("the binary says %q", got)
	}
	f, err := os.Open(bin)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, err := stamp.Find(f); err != nil || got != "9.8.7.6" {
		t.Errorf("Find = %q, %v", got, err)
	}
}

func TestFindAcrossBlocks(t *testing.T) {
	marker := []byte("ssm-setup-version=9.1.0.0\x00")
	for _, at := range []int{0, 1<<16 - 30, 1<<16 - 10, 1<<16 - 1, 1 << 16, 3<<16 - 5} {
		data := append(bytes.Repeat([]byte("x"), at), marker...)
		data = append(data, bytes.Repeat([]byte("y"), 100)...)
		if got, err := stamp.Find(bytes.NewReader(data)); err != nil || got != "9.1.0.0" {
			t.Errorf("marker at %d: %q, %v", at, got, err)
		}
	}
}

func TestFindNothing(t *testing.T) {
	for _, s := range []string{"", "ssm-setup-version=", "ssm-setup-version=abc\x00", "ssm-setup-version=9.1.0.0"} {
		if _, err := stamp.Find(strings.NewReader(s)); !errors.Is(err, stamp.ErrNoMarker) {
			t.Errorf("%q: %v", s, err)
		}
	}
}
