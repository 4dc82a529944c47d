//go:build unix

package agent_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// built puts the real program into the host's place for it.
func (h *host) built() string {
	h.Helper()
	h.must(os.MkdirAll(h.layout.BinDir(), 0o755))
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", h.layout.Worker(), "../cmd/ssm-agent-worker")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false")
	if out, err := cmd.CombinedOutput(); err != nil {
		h.Fatalf("%v\n%s", err, out)
	}
	return h.layout.Worker()
}

// process starts the real agent by hand; what it says goes to the host's logs.
func (h *host) process(path string) *exec.Cmd {
	h.Helper()
	cmd := exec.Command(path)
	h.must(cmd.Start())
	h.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd
}

// BenchmarkProcess measures the real program: from start to the first ping, from command to result, memory when idle, and
// how long it takes to leave.
func BenchmarkProcess(b *testing.B) {
	h := registered(b, nil)
	path := h.built()
	var pings, stops, results []time.Duration
	var memory string
	for b.Loop() {
		ping := h.region.PingSignal(h.id)
		began := time.Now()
		cmd := h.process(path)
		<-ping
		pings = append(pings, time.Since(began))
		for range 20 {
			began = time.Now()
			h.wait(h.shell("echo hello"))
			results = append(results, time.Since(began))
		}
		time.Sleep(3 * time.Second)
		memory = status(cmd.Process.Pid)
		began = time.Now()
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
		stops = append(stops, time.Since(began))
	}
	b.ReportMetric(median(pings), "ms/ping")
	b.ReportMetric(median(results), "ms/result")
	b.ReportMetric(median(stops), "ms/stop")
	b.Log(memory)
}

func median(d []time.Duration) float64 {
	slices.Sort(d)
	return float64(d[len(d)/2].Microseconds()) / 1000
}

// status are the lines of a process's status that speak of memory and threads.
func status(pid int) string {
	text, _ := os.ReadFile(filepath.Join("/proc", fmt.Sprint(pid), "status"))
	var lines []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "VmRSS") || strings.HasPrefix(line, "RssAnon") || strings.HasPrefix(line, "Threads") {
			lines = append(lines, strings.Join(strings.Fields(line), " "))
		}
	}
	return strings.Join(lines, ", ")
}
