//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

// update is how one went.
type update struct {
	Number  int
	To      string
	Asker   string
	Known   bool          // back to a version that had proved itself: no trial
	Without time.Duration // no agent ran
	Memory  int64         // bytes, at most, above what the host needed before
	Disk    int64         // likewise
}

// Report is the result. Times are in milliseconds, sizes in bytes.
type Report struct {
	Commit   string  `json:"commit"`
	Previous string  `json:"previous"`
	Oldest   string  `json:"oldest"`
	Began    string  `json:"began"`
	Load     string  `json:"machine_load"`
	Seed     uint64  `json:"seed"`
	Hosts    int     `json:"hosts"`
	Commands int     `json:"commands_under_way"`
	Watch    int     `json:"watch_seconds"`
	Seconds  float64 `json:"seconds"`

	Updates  int `json:"updates"`
	OnTrial  int `json:"on_trial"`
	Long     int `json:"watched_30_s"`
	Document int `json:"asked_by_document"`

	WithoutP50 int64 `json:"downtime_p50_ms"`
	WithoutP99 int64 `json:"downtime_p99_ms"`
	WithoutMax int64 `json:"downtime_max_ms"`
	Memory     int64 `json:"memory_peak_bytes"`
	Disk       int64 `json:"disk_peak_bytes"`

	Sent     int64     `json:"sent"`
	Answered int64     `json:"answered"`
	Executed int64     `json:"executed"`
	Holdings []Holding `json:"holdings"`
	Faults   []string  `json:"faults"`

	updates []update
}

// Holding is what a host held at one moment.
type Holding struct {
	Host string `json:"host"`
	holding
}

// MarshalJSON gives the members names of their own.
func (h Holding) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"host": h.Host, "updates": h.At, "processes": h.Processes, "launcher_files": h.LauncherFiles,
		"agent_files": h.AgentFiles, "launcher_memory_bytes": h.LauncherMemory, "agent_memory_bytes": h.AgentMemory, "files": h.Files,
		"disk_bytes": h.Disk})
}

func newReport(s *soak) *Report {
	load, _ := os.ReadFile("/proc/loadavg")
	return &Report{Commit: commit("HEAD"), Previous: commit(s.previous), Oldest: oldest, Began: time.Now().UTC().Format(time.RFC3339),
		Load: strings.TrimSpace(string(load)), Seed: s.seed, Hosts: s.count, Commands: s.load, Watch: s.watch, Faults: []string{}}
}

func commit(name string) string {
	cmd := exec.Command("git", "-c", "safe.directory=*", "rev-parse", name)
	cmd.Dir = top()
	out, _ := cmd.Output()
	return strings.TrimSpace(string(out))
}

// head says what is run.
func (r *Report) head() string {
	return fmt.Sprintf("commit %s, %s before it, oldest %s; %s, %d processors, load %s; "+
		"seed %d, %d hosts, %d commands under way on each, watch %d s",
		r.Commit, r.Previous, r.Oldest, r.Began, runtime.NumCPU(), r.Load, r.Seed, r.Hosts, r.Commands, r.Watch)
}

// note adds an update.
func (m *machine) note(u update) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.report
	r.updates = append(r.updates, u)
	r.Updates++
	if !u.Known {
		r.OnTrial++
	}
	if m.watched == "30" {
		r.Long++
	}
	if u.Asker == "document" {
		r.Document++
	}
}

// end counts and sums up.
func (r *Report) end(hosts []*machine) {
	for _, m := range hosts {
		sent, answered := m.load.sent.Load(), m.load.answered.Load()
		lines, different := m.load.executed()
		r.Sent, r.Answered, r.Executed = r.Sent+sent, r.Answered+answered, r.Executed+int64(lines)
		if sent != answered || int(sent) != lines || lines != different {
			r.Faults = append(r.Faults, fmt.Sprintf("%s: %d commands sent, %d answered, %d executed, %d different ones", m.name, sent, answered,
				lines, different))
		}
	}
	var without []time.Duration
	for _, u := range r.updates {
		without = append(without, u.Without)
		r.Memory, r.Disk = max(r.Memory, u.Memory), max(r.Disk, u.Disk)
	}
	slices.Sort(without)
	if n := len(without); n > 0 {
		r.WithoutP50, r.WithoutP99, r.WithoutMax = without[n/2].Milliseconds(), without[(n*99-1)/100].Milliseconds(),
			without[n-1].Milliseconds()
	}
}

// String is the report for people.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s\n", r.head())
	line := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "%-34s %s\n", what, fmt.Sprintf(format, args...))
	}
	line("updates", "%d in %.0f s, %d on trial, %d watched for 30 s, %d asked by a document", r.Updates, r.Seconds, r.OnTrial, r.Long,
		r.Document)
	line("without an agent", "p50 %d ms, p99 %d ms, at most %d ms", r.WithoutP50, r.WithoutP99, r.WithoutMax)
	line("an update needs, at most", "%.1f MB of memory, %.1f MB of disk", mb(r.Memory), mb(r.Disk))
	line("commands", "%d sent, %d answered, %d executed", r.Sent, r.Answered, r.Executed)
	for _, h := range r.Holdings {
		line(fmt.Sprintf("%s after %d updates", h.Host, h.At), "%d processes; open files: launcher %d, agent %d; "+
			"memory: launcher %.1f MB, agent %.1f MB; %d files",
			h.Processes, h.LauncherFiles, h.AgentFiles, mb(h.LauncherMemory), mb(h.AgentMemory), h.Files)
	}
	line("faults", "%d", len(r.Faults))
	return b.String()
}

// write prints the report, and writes it as data.
func (r *Report) write(to string) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if to == "-" {
		fmt.Println(string(text))
		return nil
	}
	fmt.Println(r)
	if to == "" {
		return nil
	}
	return os.WriteFile(to, append(text, '\n'), 0o644)
}
