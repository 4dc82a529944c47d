package launcher

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestEveryMinuteHasItsShareOfWhatIsPrinted(t *testing.T) {
	var log bytes.Buffer
	o := &outlet{log: newLineWriter(&log, 1, true)}
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	line := strings.Repeat("x", 999) + "\n"
	for minute := range 3 {
		for range 1000 {
			o.take(line, now.Add(time.Duration(minute)*time.Minute))
		}
	}
	if lines := strings.Count(log.String(), line); lines != 3*65 {
		t.Errorf("%d lines of 1,000 bytes in three minutes", lines)
	}
	if !strings.Contains(log.String(), "dropped 935000 bytes that the agent printed within 1m0s") {
		t.Error("what was dropped is not told")
	}
}
