//go:build unix

package unpack_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/unpack"
)

// A link that is in the folder already must not lead out of it.
func TestALinkInTheFolderDoesNotLeadOut(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	if err := os.Symlink(outside, filepath.Join(dir, "sub")); err != nil {
		t.Fatal(err)
	}
	if _, err := unpack.TarGz(bytes.NewReader(archive(t, member{name: "sub/x", body: "1"})), dir, unpack.Limits{}, nil); err == nil {
		t.Error("it followed the link")
	}
	if list, _ := os.ReadDir(outside); len(list) != 0 {
		t.Error("something was written outside")
	}
}
