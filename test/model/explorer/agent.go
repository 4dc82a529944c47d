//go:build linux

package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
	"github.com/ssm-setup/ssm-setup/test/model/disk"
	"github.com/ssm-setup/ssm-setup/updater"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// agent is the agent at work: it beats, pings, and wakes the updater as updater.Due says.
type agent struct {
	proc    *proc
	version string
	born    time.Time
	how     string // of its end
	leaving bool   // its launcher has gone
	beat    bool   // since the launcher last listened
	beats   int
	trial   uint64 // sequence on trial under which it was started; 0: none
}

const beat = 5 * time.Second

// startAgent is the birth of an agent.
func (m *machine) startAgent(file string, env []string) (int, launcher.Line, error) {
	content, err := disk.ReadFile(file)
	if err != nil {
		return 0, nil, err
	}
	sequence := uint64(0)
	for _, variable := range env {
		if text, ok := strings.CutPrefix(variable, launcher.StartVariable+"="); ok {
			if sequence, err = strconv.ParseUint(text, 10, 64); err != nil {
				return 0, nil, err
			}
		}
	}
	a := &agent{version: versionIn(file), born: m.now, how: "exit code 3"}
	m.judgeStart(a, sequence)
	nature := m.scenario.nature[a.version]
	if a.version == "" {
		nature = "dead"
	}
	a.proc = m.spawn("agent "+a.version, file, 50*time.Millisecond, func(p *proc) {
		if lock, _, _ := host.TryLock(m.layout.Pointer().AgentLock()); lock == nil {
			return // another agent has it
		}
		pulse := installer.Pulse{PID: p.ID, Started: a.born, Version: a.version, Hash: host.SHA256Bytes(content), Sequence: sequence,
			InstanceID: "mi-1", BootID: m.boots}
		for {
			age := m.now.Sub(a.born)
			switch {
			case a.leaving:
				return
			case nature == "dead", nature == "brief" && age >= 20*time.Second, nature == "late" && age >= 60*time.Second:
				return
			case nature == "hang":
				p.wait(beat)
				continue
			case nature != "mute":
				pulse.LastRoundTrip = m.now
			}
			a.beat, a.beats = true, a.beats+1
			pulse.Beats, pulse.At = uint64(a.beats), m.now
			_ = installer.WritePulse(m.layout.Pulse(), pulse)
			if a.beats%12 == 1 {
				if updater.Due(m.layout, pulse) != "" {
					m.startUpdater(file, nil)
				}
			}
			p.wait(beat)
		}
	})
	m.agent = a
	return a.proc.ID, line{a}, nil
}

// judgeStart looks at what must hold at every start of an agent.
func (m *machine) judgeStart(a *agent, sequence uint64) {
	state, err := pointer.Read(m.layout.Pointer())
	if err != nil || state.Sequence != sequence {
		return
	}
	floor := versionIn(m.layout.Launcher())
	trial := state.Probation && orFloor(state.Active, floor) == a.version
	if trial {
		a.trial = sequence
		dir := m.layout.Pointer().Probation(sequence)
		left := pointer.Tokens(m.layout.Pointer(), sequence)
		if before, ok := m.history.tokens[sequence]; ok && left >= before {
			m.wrong("%s is started on trial, and no token more is gone than at the start before (%d, %d)", a.version, before, left)
		}
		if !m.Disk.Certain(dir) {
			m.wrong("%s is started on trial, and a power cut gives its token back", a.version)
		}
		m.history.tokens[sequence] = left
		if m.own == sequence {
			m.wrong("%s is started on trial again, though it ended by its own doing", a.version)
		}
		return
	}
	led, err := ledger.Read(m.layout)
	facts := pointer.Facts{Floor: floor, Whole: versionIn(m.layout.Worker()) == floor}
	if err != nil || led.Open != nil || orFloor(state.Ring(facts)[0], floor) == a.version {
		return // the pointer puts it first: a power cut came between record and pointer
	}
	for _, h := range led.Skip {
		if h.Version.String() == a.version && !h.Scheduled && m.now.Before(h.Until) {
			m.wrong("%s is started, though it is blocked: %s", a.version, h.Reason)
		}
	}
}

// line is the launcher's end of the pipes to an agent.
type line struct{ agent *agent }

// Heard reports whether the agent beat since the last call.
func (l line) Heard() bool {
	heard := l.agent.beat
	l.agent.beat = false
	return heard
}

// AskToLeave has the agent leave.
func (l line) AskToLeave() { l.agent.leaving, l.agent.how = true, "exit code 0" }

// Close has nothing to close.
func (line) Close() {}
