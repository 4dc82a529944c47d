package watch

import (
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// Version is what is watched: a version and the pointer under which it is to run.
type Version struct {
	Number   string // of the version, for example 9.2.0.0
	Target   pointer.Target
	Sequence uint64 // of the pointer that names it
}

// Look is what is seen at one moment.
type Look struct {
	Now      time.Time // of the [Clock]
	Pulse    installer.Pulse
	Legible  bool           // the pulse file could be read, and is of this boot
	Launcher int            // id; 0 with Running: one in another process namespace
	Running  bool           // a launcher runs
	Agent    int            // id of the process that holds the agent lock; 0: none
	Untried  bool           // the probation has all its tokens: the launcher did not start the version yet
	Death    launcher.Death // the launcher's note of the last death; zero: none
	Disk     error          // what of the machine keeps the pulse from being read; nil: nothing, also where there is none
}

// Baseline is what a version can do as well as the one before: it has to.
type Baseline struct {
	Registered bool     // the host had a registration, so reaching the service is part of health
	Lanes      []string // ways that commands come by, which answered the version before within [LaneMemory]; not asked in a watch below 25 s
}

// LaneMemory is how long ago a lane may have answered the version before.
const LaneMemory = 10 * time.Minute

// Answering are the lanes of a pulse that answered within [LaneMemory] of now. Agents of before 9.2 name none.
func Answering(p installer.Pulse, now time.Time) (lanes []string) {
	for name, l := range p.Lanes {
		if !l.Denied && now.Sub(l.Answered) < LaneMemory {
			lanes = append(lanes, name)
		}
	}
	slices.Sort(lanes)
	return lanes
}

// Observer sees what there is to be seen of an installation.
type Observer struct {
	Layout   installer.Layout
	Launcher func() (pid int, running bool)
	Agent    func() (pid int, running bool)
	Boot     string // boot id; empty where the system has none
}

// Look looks, at the time now of a [Clock], at what runs under the sequence of a pointer.
func (o Observer) Look(now time.Time, sequence uint64) Look {
	l := Look{Now: now}
	l.Launcher, l.Running = o.Launcher()
	if pid, running := o.Agent(); running {
		l.Agent = pid
	}
	p, err := installer.ReadPulse(o.Layout.Pulse())
	l.Pulse = p
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, installer.ErrPulse) {
		l.Disk = err
	}
	l.Legible = err == nil && (o.Boot == "" || p.BootID == "" || p.BootID == o.Boot)
	l.Untried = pointer.Tokens(o.Layout.Pointer(), sequence) == len(pointer.TokenNames())
	if d, err := launcher.ReadDeath(o.Layout.Pointer()); err == nil {
		l.Death = d
	}
	return l
}

// lingers reports whether a process of an older sequence has the agent lock.
func (l Look) lingers(sequence uint64) bool {
	return l.Legible && l.Agent != 0 && l.Agent == l.Pulse.PID && l.Pulse.Sequence < sequence
}

// died tells how a version died under its pointer, if the launcher noted that it did.
func (l Look) died(v Version) (how string, died bool) {
	d := l.Death
	if d.Version == "" || d.Sequence != v.Sequence {
		return "", false
	}
	return d.How, d.Version == v.Number || d.Version == pointer.Floor && d.Floor == v.Number
}

// Runs tells whether a pulse comes from a target; floor is the version of the launcher.
func Runs(p installer.Pulse, t pointer.Target, floor string) bool {
	if t.IsFloor() {
		return p.Version == floor
	}
	return p.Version == t.Version && (p.Hash == "" || p.Hash == t.Hash)
}

// Clock is a clock of the time in which the updater itself was able to look: one that stood still (a stopped container, a machine
// that has other things to do) has seen no silence. From one look to the next it moves twice the pause between them, at most.
type Clock struct {
	now  time.Time
	most time.Duration
	seen time.Time // the real time of the last look
}

// NewClock begins at a moment; pause is the time between two looks.
func NewClock(now time.Time, pause time.Duration) *Clock { return &Clock{now: now, most: 2 * pause} }

// Now is the time of the last look.
func (c *Clock) Now() time.Time { return c.now }

// Move is the time of a look at the real time at.
func (c *Clock) Move(at time.Time) time.Time {
	if !c.seen.IsZero() {
		c.now = c.now.Add(min(max(at.Sub(c.seen), 0), c.most))
	}
	c.seen = at
	return c.now
}
