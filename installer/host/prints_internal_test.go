package host

import (
	"strings"
	"testing"
	"time"
)

func TestEveryMinuteHasItsShareOfWhatIsPrinted(t *testing.T) {
	var log strings.Builder
	p := &Prints{Who: "the agent", Take: func(line string) { log.WriteString(line) }, Note: func(text string) { log.WriteString(text) }}
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	line := strings.Repeat("x", 999) + "\n"
	for minute := range 3 {
		for range 1000 {
			p.take(line, now.Add(time.Duration(minute)*time.Minute))
		}
	}
	if lines := strings.Count(log.String(), line); lines != 3*65 {
		t.Errorf("%d lines of 1,000 bytes in three minutes", lines)
	}
	if !strings.Contains(log.String(), "dropped 935000 bytes that the agent printed within 1m0s") {
		t.Error("what was dropped is not told")
	}
}
