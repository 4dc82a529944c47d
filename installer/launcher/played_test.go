package launcher_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/launcher"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// played is a system on which every agent ends at once, on a clock that moves only when the launcher waits.
type played struct {
	now    time.Time
	most   int             // starts after which the service is stopped
	starts []string        // versions in the order in which they were started
	waits  []time.Duration // before each start but the first
	last   time.Time
	ended  int // id of an agent that is to be collected
}

func (p *played) system() launcher.System {
	return launcher.System{
		Now: func() time.Time { return p.now },
		Wait: func(d time.Duration, _ <-chan os.Signal) bool {
			if p.ended == 0 {
				p.now = p.now.Add(d)
			}
			return len(p.starts) >= p.most
		},
		Start: func(file string, _, _ []string, agent bool) (int, launcher.Line, error) {
			if len(p.starts) > 0 {
				p.waits = append(p.waits, p.now.Sub(p.last))
			}
			version := filepath.Base(filepath.Dir(file))
			if filepath.Base(filepath.Dir(filepath.Dir(file))) != "store" {
				version = pointer.Floor
			}
			p.starts, p.last = append(p.starts, version), p.now
			p.ended = 1000 + len(p.starts)
			return p.ended, silent{}, nil
		},
		Next: func() (int, string, bool) {
			pid := p.ended
			p.ended = 0
			return pid, "exit code 1", pid != 0
		},
		Kill: func(int) error { return nil },
	}
}

// silent is the line to an agent that never beats.
type silent struct{}

func (silent) Heard() bool { return false }
func (silent) AskToLeave() {}
func (silent) Close()      {}

func TestWaitsDoubleToAMinuteAlsoWhenTheRingBeginsAnew(t *testing.T) {
	for name, versions := range map[string][]string{"one version": nil, "two versions": {"9.2.0.0"}} {
		t.Run(name, func(t *testing.T) {
			m := newMachineAlone(t)
			for _, v := range versions {
				m.choose(m.have(v, "die"), false)
			}
			p := &played{now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), most: 20}
			m.ok(launcher.Service{Paths: m.Paths, Stamp: floorVersion, Timing: launcher.Design(), Log: io.Discard, System: p.system()}.Run())
			if len(p.starts) != p.most {
				t.Fatalf("%d starts", len(p.starts))
			}
			want := time.Second
			for i, got := range p.waits {
				moved := p.starts[i] != p.starts[i+1] // another version has died less often: it is tried after a second
				if got > want || got < want && !moved || got < time.Second {
					t.Errorf("before start %d of %s: %s, want %s; all: %s", i+2, p.starts[i+1], got, want, p.waits)
				}
				want = min(2*want, time.Minute)
			}
		})
	}
}
