//go:build linux

package main

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/test/model/disk"
)

type faultKind string

// The faults beside a power cut.
const (
	killSelf     faultKind = "kill of this process"
	killAgent    faultKind = "kill of the agent"
	killLauncher faultKind = "kill of the launcher"
	killUpdaters faultKind = "kill of the updater"
	stall        faultKind = "a stop of 70 s"
)

// fault happens before a step.
type fault struct {
	step int
	kind faultKind
}

// bounds say how far the explorer goes.
type bounds struct {
	cuts, kills int // in one history; together at most faults
	faults      int
	all         int // so many uncertain changes or fewer: every subset of them is lost
}

// state is a state to go on from.
type state struct {
	start
	cuts, faults int
	way          []string
}

// explorer walks the states of one scenario.
type explorer struct {
	scenario scenario
	bounds   bounds
	seed     maphash.Seed
	hashes   map[*byte]uint64
	known    map[string]bool
	todo     []state
	states   int
	lives    int
	steps    int
	bad      string
	first    bool // ends with the first violation
}

func newExplorer(s scenario, b bounds) *explorer {
	return &explorer{scenario: s, bounds: b, seed: maphash.MakeSeed(), hashes: map[*byte]uint64{}, known: map[string]bool{}}
}

// explore walks all states.
func (x *explorer) explore() {
	x.todo = []state{{start: x.scenario.prepare()}}
	x.states = 1
	for len(x.todo) > 0 && x.bad == "" {
		s := x.todo[0]
		x.todo = x.todo[1:]
		x.from(s)
	}
}

// from lives every life that begins in a state: without a fault, and with one before each step.
func (x *explorer) from(s state) {
	type at struct {
		step     int
		kind     faultKind
		op, path string
	}
	var places []at
	x.life(s, nil, func(m *machine, op, path string) {
		if s.faults >= x.bounds.faults || x.bounds.kills == 0 {
			return
		}
		if op == "sync" { // the end of a process loses nothing: it is as before the next step
			return
		}
		for _, kind := range []faultKind{killSelf, killAgent, killLauncher, stall} {
			if kind == killLauncher && m.launcher != nil && m.working == m.launcher.proc { // as killSelf
				continue
			}
			places = append(places, at{m.steps, kind, op, path})
		}
	})
	for _, p := range places {
		if x.bad != "" {
			return
		}
		t := s
		t.faults++
		t.way = append(append([]string(nil), s.way...), fmt.Sprintf("%s before step %d, %s %s", p.kind, p.step, p.op, p.path))
		x.life(t, []fault{{p.step, p.kind}}, nil)
	}
}

// horizon is how long a life may take to come to rest: what falls back is written down after half an hour.
const horizon = 100 * time.Minute

// life lives one life to its rest, looks at that, and takes the states that power cuts on the way leave.
func (x *explorer) life(s state, plan []fault, step func(m *machine, op, path string)) {
	x.lives++
	m := x.scenario.live(s.start, plan)
	struck := len(plan) == 0
	m.look = func(op, path string) {
		if struck && s.faults < x.bounds.faults && s.cuts < x.bounds.cuts {
			x.cut(s, m, op, path)
		}
		if step != nil {
			step(m, op, path)
		}
		if len(plan) > 0 && m.steps >= plan[0].step {
			struck = true
		}
	}
	quiet, asked := time.Time{}, m.now
	m.run(m.now.Add(horizon), func() bool {
		if m.now.Sub(asked) < 10*time.Second && len(m.broken) == 0 {
			return false
		}
		asked = m.now
		if m.now.Sub(m.booted) < 100*time.Second || m.rest() != "" {
			quiet = time.Time{}
			return len(m.broken) > 0
		}
		if quiet.IsZero() {
			quiet = m.now
		}
		return m.now.Sub(quiet) >= 65*time.Second
	})
	x.steps += m.steps
	why := m.rest()
	if why == "" {
		why = m.truth(s.faults)
	}
	if len(m.broken) > 0 {
		why = m.broken[0]
	}
	if why != "" {
		x.bad = why
		x.tell(s, plan)
	}
	m.end()
	clear(x.hashes)
}

// tell lives a life once more and tells it.
func (x *explorer) tell(s state, plan []fault) {
	x.bad += "\n    " + strings.Join(append([]string{"after: "}, s.way...), "\n    ")
	if x.first {
		return
	}
	var log bytes.Buffer
	m := x.scenario.live(s.start, plan)
	m.log = &limited{w: &log, left: 60_000}
	m.look = func(op, path string) {
		fmt.Fprintf(m.log, "%s   %4d %s: %s %s\n", m.time(), m.steps, m.working.name, op, path)
	}
	m.run(m.now.Add(10*time.Minute), nil)
	m.end()
	x.bad += "\n" + log.String()
}

type limited struct {
	w    io.Writer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	if l.left -= len(p); l.left < 0 {
		return len(p), nil
	}
	return l.w.Write(p)
}

// cut takes the states that a power cut before this step may leave.
func (x *explorer) cut(s state, m *machine, op, path string) {
	list := m.Disk.Uncertain()
	for _, fates := range x.fates(list) {
		image := m.Disk.Cut(fates)
		begun := s.begun || m.begun()
		key := fmt.Sprint(x.hash(image), begun, m.history.key(), s.cuts+1, s.faults+1)
		if x.known[key] {
			continue
		}
		x.known[key] = true
		x.states++
		var lost []string
		for i, f := range fates {
			switch f {
			case disk.Kept:
			case disk.Lost:
				lost = append(lost, "lost: "+list[i].Op)
			default:
				lost = append(lost, "torn: "+list[i].Op)
			}
		}
		way := append(append([]string(nil), s.way...), fmt.Sprintf("power cut before step %d, %s %s by %s; %s", m.steps, op, path,
			m.working.name, strings.Join(lost, ", ")))
		x.todo = append(x.todo, state{start: start{image: image, history: m.history.clone(), now: m.now.Add(time.Minute), boot: s.boot + 1,
			begun: begun}, cuts: s.cuts + 1, faults: s.faults + 1, way: way})
	}
}

// begun tells whether the request of the scenario was made.
func (m *machine) begun() bool { return m.now.Sub(m.booted) >= time.Minute }

// fates are the ends of uncertain changes that are looked at: every one of few changes; of many, nothing or everything lost, all before
// one lost or kept, one alone lost or kept, and the last write torn.
func (x *explorer) fates(list []*disk.Change) (out [][]disk.Fate) {
	n := len(list)
	if n <= x.bounds.all {
		for bits := range 1 << n {
			f := make([]disk.Fate, n)
			for i := range f {
				if bits&(1<<i) != 0 {
					f[i] = disk.Kept
				}
			}
			out = append(out, f)
			for i, c := range list {
				if f[i] != disk.Kept {
					continue
				}
				for _, torn := range c.Torn() {
					t := append([]disk.Fate(nil), f...)
					t[i] = torn
					out = append(out, t)
				}
			}
		}
		return out
	}
	make2 := func(pick func(i int) bool) {
		f := make([]disk.Fate, n)
		for i := range f {
			if pick(i) {
				f[i] = disk.Kept
			}
		}
		out = append(out, f)
	}
	for k := range n {
		make2(func(i int) bool { return i < k })
		make2(func(i int) bool { return i >= k })
		make2(func(i int) bool { return i != k })
		make2(func(i int) bool { return i == k })
	}
	for _, torn := range list[n-1].Torn() {
		f := make([]disk.Fate, n)
		for i := range f {
			f[i] = disk.Kept
		}
		f[n-1] = torn
		out = append(out, f)
	}
	return out
}

// noise is what differs between two states that are the same.
var noise = regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+Z|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|` +
	`"pid":\d+|"revision":\d+|boot-\d+|[0-9a-f]{64}`)

// hash tells images apart by what a life can depend on: times, process ids and what only counts up left out.
func (x *explorer) hash(m disk.Image) uint64 {
	var h maphash.Hash
	h.SetSeed(x.seed)
	m.Walk(func(path string, mode fs.FileMode, data []byte) {
		_, _ = h.WriteString(path + mode.String())
		if len(data) == 0 || slices.Contains([]string{"pulse", "update.lock", "update.lock.expire"}, filepath.Base(path)) {
			return
		}
		sum, ok := x.hashes[&data[0]]
		if !ok {
			clean := data
			if strings.HasSuffix(path, "/ledger") || strings.HasSuffix(path, "/decisions") {
				clean = noise.ReplaceAll(bytes.TrimSpace(bytes.ReplaceAll(data, []byte("        "), nil)), nil)
			}
			sum = maphash.Bytes(x.seed, clean)
			x.hashes[&data[0]] = sum
		}
		_, _ = fmt.Fprint(&h, sum)
	})
	return h.Sum64()
}
