package service

import (
	"os"
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

func TestTheAdditionsAreThoseOfThePackages(t *testing.T) {
	packed, err := os.ReadFile("../pack/assets/common/ssm-setup.conf")
	if err != nil || string(packed) != additions {
		t.Errorf("%v:\n%s\nnot\n%s", err, additions, packed)
	}
}
