//go:build unix

package main

import (
	"bufio"
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
)

// holding is what a host that has nothing to do holds.
type holding struct {
	At                           int // updates that it had made
	Processes                    int // launcher, agent, and workers that wait for work
	LauncherFiles, AgentFiles    int // open ones
	LauncherMemory, AgentMemory  int64
	Files                        int   // on disk, without the records of commands
	Disk                         int64 // bytes on disk, of all of them
	files                        []string
	launcherOpened, agentsOpened []string
}

// look lets the host come to rest and compares what it holds with what it held at first.
func (m *machine) look() {
	m.load.still(func() {
		now := m.rest()
		m.mu.Lock()
		m.report.Holdings = append(m.report.Holdings, Holding{m.name, now})
		m.mu.Unlock()
		m.say("%s after %d updates: %d processes; open files %d and %d; memory %.1f and %.1f MB; %d files, %.1f MB", m.name, now.At,
			now.Processes, now.LauncherFiles, now.AgentFiles, mb(now.LauncherMemory), mb(now.AgentMemory), now.Files, mb(now.Disk))
		if m.first == nil {
			m.first = &now
			return
		}
		m.compare(*m.first, now)
	})
}

// compare reports what grew.
func (m *machine) compare(first, now holding) {
	if now.Processes > first.Processes {
		m.fault("%s: %d processes after %d updates, %d at first", m.name, now.Processes, now.At, first.Processes)
	}
	if now.LauncherFiles > first.LauncherFiles {
		m.fault("%s: the launcher has %d open files after %d updates, %d at first: %v", m.name, now.LauncherFiles, now.At,
			first.LauncherFiles, more(first.launcherOpened, now.launcherOpened))
	}
	if now.AgentFiles > first.AgentFiles+4 { // connections that are kept for the next request come and go
		m.fault("%s: the agent has %d open files after %d updates, %d at first: %v", m.name, now.AgentFiles, now.At, first.AgentFiles,
			more(first.agentsOpened, now.agentsOpened))
	}
	if limit := first.LauncherMemory*3/2 + 2<<20; now.LauncherMemory > limit {
		m.fault("%s: the launcher has %.1f MB after %d updates, %.1f at first", m.name, mb(now.LauncherMemory), now.At,
			mb(first.LauncherMemory))
	}
	if now.Files > first.Files+16 { // rolled logs, and versions that are kept
		m.fault("%s: %d files after %d updates, %d at first: %v", m.name, now.Files, now.At, first.Files, more(first.files, now.files))
	}
}

// more are the names in b that a has not.
func more(a, b []string) (list []string) {
	for _, s := range b {
		if !slices.Contains(a, s) {
			list = append(list, s)
		}
	}
	return list
}

// rest waits until what runs and what is open has not changed for two seconds, a minute at most.
func (m *machine) rest() (now holding) {
	last, since := m.hold(), time.Now()
	for end := time.Now().Add(time.Minute); time.Now().Before(end) && time.Since(since) < 2*time.Second; time.Sleep(200 * time.Millisecond) {
		if now = m.hold(); now.Processes != last.Processes || now.LauncherFiles != last.LauncherFiles {
			since = time.Now()
		}
		last = now
	}
	return last
}

// hold measures.
func (m *machine) hold() (h holding) {
	h.At = m.made
	h.Processes = len(m.processes())
	if pid, running := launcher.Running(m.Pointer()); running {
		h.launcherOpened, h.LauncherMemory = opened(pid), memory(pid, "VmRSS:")
		h.LauncherFiles = len(h.launcherOpened)
	}
	if pid, running := launcher.AgentRunning(m.Pointer()); running {
		h.agentsOpened, h.AgentMemory = opened(pid), memory(pid, "VmRSS:")
		h.AgentFiles = len(h.agentsOpened)
	}
	_ = filepath.WalkDir(m.Root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		if info, err := d.Info(); err == nil {
			h.Disk += info.Size()
		}
		if name := strings.TrimPrefix(path, m.Root); !strings.Contains(name, "/"+m.node+"/") {
			h.files = append(h.files, name)
		}
		return nil
	})
	h.Files = len(h.files)
	return h
}

// opened are the open files of a process.
func opened(pid int) (list []string) {
	dir := "/proc/" + strconv.Itoa(pid) + "/fd"
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		to, _ := os.Readlink(filepath.Join(dir, e.Name()))
		list = append(list, to)
	}
	return list
}

// memory is a line of a process' status, in bytes.
func memory(pid int, line string) int64 {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		if f := strings.Fields(s.Text()); len(f) > 1 && f[0] == line {
			kB, _ := strconv.ParseInt(f[1], 10, 64)
			return kB << 10
		}
	}
	return 0
}

// following is a look at a host during an update.
type following struct {
	m              *machine
	stop           chan struct{}
	done           sync.WaitGroup
	without        time.Duration
	memory, disk   int64 // most
	memory0, disk0 int64
}

// follow looks for the agent every 2 ms, at memory and disk every 200 ms.
func (m *machine) follow() *following {
	f := &following{m: m, stop: make(chan struct{})}
	f.memory0, f.disk0 = f.amount()
	f.memory, f.disk = f.memory0, f.disk0
	lock := m.Pointer().AgentLock()
	f.every(2*time.Millisecond, func(since time.Duration) {
		if _, held, err := host.Holder(lock); err == nil && !held {
			f.without += since
		}
	})
	f.every(200*time.Millisecond, func(time.Duration) {
		now, disk := f.amount()
		f.memory, f.disk = max(f.memory, now), max(f.disk, disk)
	})
	return f
}

// every calls look with the time since the last call.
func (f *following) every(pause time.Duration, look func(since time.Duration)) {
	f.done.Go(func() {
		for last := time.Now(); ; {
			select {
			case <-f.stop:
				return
			case <-time.After(pause):
			}
			now := time.Now()
			look(now.Sub(last))
			last = now
		}
	})
}

// amount is the memory of all processes of the host, each with what it shares, and the disk space below its data.
func (f *following) amount() (bytes, disk int64) {
	for _, pid := range f.m.processes() {
		bytes += memory(pid, "VmRSS:")
	}
	_ = filepath.WalkDir(f.m.Data(), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path == filepath.Join(f.m.Data(), f.m.node) {
			return fs.SkipDir // records of commands
		}
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				disk += info.Size()
			}
		}
		return nil
	})
	return bytes, disk
}

// end stops looking.
func (f *following) end(u *update) {
	close(f.stop)
	f.done.Wait()
	u.Without, u.Memory, u.Disk = f.without, f.memory-f.memory0, f.disk-f.disk0
}

// mb is a number of bytes in megabytes.
func mb(bytes int64) float64 { return float64(bytes) / 1e6 }
