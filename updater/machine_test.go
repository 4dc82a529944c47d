package updater_test

import (
	"context"
	"os"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/updater"
)

func TestThisSystemNamesWhatRuns(t *testing.T) {
	l := installer.At(t.TempDir())
	m := updater.ThisSystem(l)
	if _, err := m.Floor(); err == nil {
		t.Error("there is no launcher to have a version")
	}
	must(t, os.MkdirAll(l.BinDir(), 0o755))
	must(t, os.WriteFile(l.Launcher(), program("9.1.0.0"), 0o755))
	if v, err := m.Floor(); err != nil || v != ver("9.1.0.0") {
		t.Errorf("%s, %v", v, err)
	}
	if _, running := m.Launcher(); running {
		t.Error("a launcher runs in an empty folder")
	}
	if _, running := m.Agent(); running {
		t.Error("an agent runs in an empty folder")
	}
	if err := m.StopAgent(context.Background(), os.Getpid()); err != nil {
		t.Errorf("no agent to stop: %v", err)
	}
	if free, err := m.Free(l.Root); err != nil || free == 0 {
		t.Errorf("%d, %v", free, err)
	}
}
