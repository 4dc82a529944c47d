//go:build unix

package agent_test

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkBurst sends many commands at once to an agent of this process and waits for the last result: no TLS, the journal and the
// region's data on the test's temporary folder, one worker process a command.
func BenchmarkBurst(b *testing.B) {
	for _, n := range []int{100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			h := registered(b, nil)
			h.start()
			h.wait(h.shell("true"))
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				var ids []string
				for range n {
					ids = append(ids, h.shell("true"))
				}
				for _, id := range ids {
					if inv := h.wait(id); inv.Status != "Success" {
						b.Fatalf("%+v", inv)
					}
				}
				took = append(took, time.Since(began))
			}
			b.ReportMetric(median(took), "ms/burst")
		})
	}
}
