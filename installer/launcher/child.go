package launcher

import (
	"os"
	"sync/atomic"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// The child's side of the contract between launcher and agent, which holds for ever, any launcher with any agent:
//
//	SSM_START      the pointer's sequence the agent was started under, decimal; the agent removes it
//	descriptor 3   stop: a byte or end of file means leave; end of file says that the launcher is gone
//	descriptor 4   beat: a byte now and then, never blocking
//	lock/agent     the agent holds its record lock from its first act to its end
//	[Mark]         a text that every program of ours has in it
//
// Windows hands descriptors on by handle, so there the numbers of two inherited pipe handles come in two variables, decimal,
// which the agent removes too; and a program that wants an agent to leave, as SIGTERM does elsewhere, sets an event of its name:
//
//	SSM_STOP, SSM_BEAT                    the two handles
//	Global\ssm-setup-<folder>-agent-<pid>  the event; folder is the hash of the data folder's path, see event_windows.go

// StartVariable is the environment variable that carries the sequence.
const StartVariable = "SSM_START"

// Mark is the text by which any launcher, older and newer ones too, tells a program of ours from an original agent's that lies at
// the same path: an original is waited for. It was the path of this package when the first release was made, and is frozen since;
// it does not follow where the package is moved.
const Mark = "ssm-setup/installer/launcher"

// carry has the linker keep a text in the program. It is not inlined, so every call needs the text.
//
//go:noinline
func carry(string) {}

// The variables that carry the handles on Windows.
const (
	stopVariable = "SSM_STOP"
	beatVariable = "SSM_BEAT"
)

// Child is an agent's connection to the launcher that started it.
type Child struct {
	sequence  uint64
	stop      chan struct{}
	gone      atomic.Bool
	left      atomic.Bool
	beat      beats
	lock      *host.FolderLock
	rival     int
	lockError error
}

// Sequence is the pointer's sequence this agent was started under.
func (c *Child) Sequence() uint64 { return c.sequence }

// Stop is closed when the agent is to leave: a stop byte, or the launcher is gone.
func (c *Child) Stop() <-chan struct{} { return c.stop }

// LauncherGone reports whether Stop was closed because the launcher died: then no other process ends or restarts this agent.
func (c *Child) LauncherGone() bool { return c.gone.Load() }

// Rival is the id of another agent process of this installation that had the agent lock when this one came; 0 if none. An agent
// with a rival leaves at once.
func (c *Child) Rival() int { return c.rival }

// LockError says why the agent lock could not be taken, if so. The agent runs all the same.
func (c *Child) LockError() error { return c.lockError }

// Beat tells the launcher that this agent lives. It never blocks; a beat for which there is no room is dropped.
func (c *Child) Beat() { c.beat.send() }

// KeepLock takes the agent lock anew where its folder was removed or moved. lost: another agent, the rival, has it by now: this one has
// to leave. The agent calls it now and then.
func (c *Child) KeepLock() (rival int, lost bool, err error) { return c.lock.Keep() }

// listen waits for the stop byte or the end of the launcher.
func (c *Child) listen(f *os.File) {
	n, _ := f.Read(make([]byte, 1))
	c.leave(n == 0)
}

// leave closes Stop, once.
func (c *Child) leave(gone bool) {
	if c.left.CompareAndSwap(false, true) {
		c.gone.Store(gone)
		close(c.stop)
	}
}

func (c *Child) takeLock() {
	carry(Mark)
	exe, err := os.Executable()
	if err != nil {
		c.lockError = err
		return
	}
	paths, err := pointer.Of(exe)
	if err != nil {
		c.lockError = err
		return
	}
	c.lock, c.rival, c.lockError = lockFolder(paths.AgentLock())
}

// lockFolder takes a lock, making its folder first where it was removed.
func lockFolder(dir string) (*host.FolderLock, int, error) {
	lock, holder, err := host.TryLock(dir)
	if err == nil {
		return lock, holder, nil
	}
	if os.MkdirAll(dir, 0o700) != nil {
		return nil, 0, err
	}
	return host.TryLock(dir)
}
