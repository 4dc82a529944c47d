package installer_test

import (
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
)

func TestABeatComesSixTimesInAWatchAndEvery5SecondsAtLeast(t *testing.T) {
	for watch, want := range map[time.Duration]time.Duration{30 * time.Second: 5 * time.Second, 10 * time.Minute: 5 * time.Second,
		3 * time.Second: 500 * time.Millisecond, time.Second: time.Second / 6} {
		if got := installer.BeatPeriod(watch); got != want {
			t.Errorf("%v: %v", watch, got)
		}
	}
}
