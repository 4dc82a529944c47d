//go:build unix

package agent_test

import (
	"context"
	"slices"
	"testing"
	"time"
)

// BenchmarkCommand measures SendCommand → result over ec2messages, worker process included.
func BenchmarkCommand(b *testing.B) {
	h := registered(b, nil)
	h.start()
	h.wait(h.shell("true"))
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		id := h.shell("echo hello")
		inv, err := h.region.WaitCommand(context.Background(), id, h.id)
		if err != nil || inv.Status != "Success" {
			b.Fatalf("%+v, %v", inv, err)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms/median")
	b.ReportMetric(float64(took[len(took)*9/10].Microseconds())/1000, "ms/p90")
}
