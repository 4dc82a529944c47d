package pack_test

import (
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/pack"
)

// The key that packages are checked with lies beside the root of trust, in every package with settings but those for Windows,
// where another kind of signature counts.
func TestTheKeyLiesInPackages(t *testing.T) {
	in := input(t, amd64)
	in.Key = []byte("an OpenPGP key")
	_, content := flat(t, "x.tar.gz", make1(t, "tar", in))
	if got := string(content[pack.KeyFile]); got != "an OpenPGP key" {
		t.Errorf("%s is %q", pack.KeyFile, got)
	}
	in.Key = nil
	if _, content = flat(t, "x.tar.gz", make1(t, "tar", in)); content[pack.KeyFile] != nil {
		t.Error("a key from nowhere")
	}
}
