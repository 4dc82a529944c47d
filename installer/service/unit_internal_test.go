package service

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestAUnitWithoutTheAdditionsIsKnownByItsWait(t *testing.T) {
	for shown, want := range map[string]time.Duration{
		"LoadState=loaded\nRestartUSec=1min 30s\n":    90 * time.Second,
		"LoadState=loaded\nRestartUSec=1s\n":          0,
		"LoadState=loaded\nRestartUSec=100ms\n":       0,
		"LoadState=loaded\nRestartUSec=15min\n":       15 * time.Minute,
		"LoadState=not-found\nRestartUSec=1min 30s\n": 0,
		"LoadState=masked\nRestartUSec=1min 30s\n":    0,
		"": 0,
	} {
		if got := slowIn(shown); got != want {
			t.Errorf("%q: %s", shown, got)
		}
	}
}

// The shell that installs may have secrets, and another idea of which systemctl is meant.
func TestSystemctlGetsNothingOfTheShell(t *testing.T) {
	t.Setenv("GITHUB_TOKEN", "secret")
	t.Setenv("LC_ALL", "de_DE.UTF-8")
	for _, entry := range systemctl(t.Context(), "show").Env {
		if strings.HasPrefix(entry, "GITHUB_TOKEN=") || entry == "LC_ALL=de_DE.UTF-8" {
			t.Errorf("it gets %s", entry)
		}
	}
}

func TestTheAdditionsAreThoseOfThePackages(t *testing.T) {
	packed, err := os.ReadFile("../pack/assets/common/ssm-setup.conf")
	if err != nil || string(packed) != additions {
		t.Errorf("%v:\n%s\nnot\n%s", err, additions, packed)
	}
}
