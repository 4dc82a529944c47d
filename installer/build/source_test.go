package build_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/build"
)

func TestTheSourceTreeIsFoundUpward(t *testing.T) {
	here, err := build.Source(".")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(here, "installer", "pack")); err != nil {
		t.Error(err)
	}
	if _, err := build.Source(t.TempDir()); !errors.Is(err, build.ErrNoSource) {
		t.Errorf("elsewhere: %v", err)
	}
}

func TestEpochIsACountOfSeconds(t *testing.T) {
	for _, bad := range []string{"x", "-1", "99999999999"} {
		if _, err := build.Epoch(bad, ""); err == nil {
			t.Errorf("epoch %q passed", bad)
		}
	}
	if at, err := build.Epoch("86400", ""); err != nil || at.Unix() != 86400 {
		t.Errorf("%v, %v", at, err)
	}
}
