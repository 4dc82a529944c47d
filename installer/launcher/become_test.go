package launcher_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

func TestEverythingElseIsForTheAgent(t *testing.T) {
	m := newMachine(t)
	link := filepath.Join(m.Bin(), "ssm-cli"+filepath.Ext(m.Launcher()))
	if runtime.GOOS == "windows" {
		m.plant(link) // links need a privilege there, so packages carry copies
	} else {
		m.ok(os.Symlink(m.Launcher(), link))
	}
	got, err := m.output(link, "get-instance-information")
	if err != nil || got != "floor ["+link+" get-instance-information]" {
		t.Errorf("%q, %v", got, err)
	}
	s := m.choose(m.have("9.2.0.0", "live"), true)
	got, err = m.output(m.Launcher(), "-version")
	if err != nil || got != "9.2.0.0 ["+m.Launcher()+" -version]" {
		t.Errorf("%q, %v", got, err)
	}
	if n := pointer.Tokens(m.Paths, s.Sequence); n != 3 {
		t.Errorf("it cost a token: %d left", n)
	}
	m.ok(os.Remove(m.Worker()))
	m.ok(os.RemoveAll(m.StoreDir()))
	got, err = m.output(m.Launcher(), "-version")
	if err != nil || got != "SSM Agent version: 9.0.0.0" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err = m.output(m.Launcher(), "-register"); err == nil {
		t.Error("no agent, and no error")
	}
}

func TestTheServiceTakesOnlyARoot(t *testing.T) {
	m := newMachine(t)
	for _, args := range [][]string{
		{"--root"}, {"--root="}, {"--root", ""}, {"--rot", "/x"}, {"--root", "/x", "y"}, {"x"}, {"--root=/x", "y"},
	} {
		if out, err := m.output(m.Launcher(), append([]string{"service"}, args...)...); err == nil || out != "" {
			t.Errorf("%v: %q, %v", args, out, err)
		}
	}
}
