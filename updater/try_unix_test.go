//go:build unix

package updater_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/updater"
)

func TestAProgramIsTriedInASessionOfItsOwn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "program")
	must(t, os.WriteFile(file, []byte("#!/bin/sh\necho \"$1\" to out; echo and err >&2; [ \"$1\" = good ]\n"), 0o755))
	m := updater.ThisSystem(installer.At(t.TempDir()))
	if out, err := m.Try(context.Background(), file, "good"); err != nil || out != "good to out\nand err" {
		t.Errorf("%q, %v", out, err)
	}
	if out, err := m.Try(context.Background(), file, "bad"); err == nil || !strings.Contains(out, "bad to out") {
		t.Errorf("%q, %v", out, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := m.Try(ctx, file, "good"); err == nil {
		t.Error("a run that was called off succeeds")
	}
}
