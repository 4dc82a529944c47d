package agent

import (
	"testing"
	"time"
)

func TestTheBeatPeriodFollowsTheWatch(t *testing.T) {
	for watch, want := range map[int]time.Duration{30: 5 * time.Second, 600: 5 * time.Second, 3: 500 * time.Millisecond, 1: time.Second / 6} {
		if got := beatPeriod(watch); got != want {
			t.Errorf("%d: %v", watch, got)
		}
	}
}
