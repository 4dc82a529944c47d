package launcher

// The child's side of the contract between launcher and agent, which holds for ever, any launcher with any agent:
//
//	SSM_START      the pointer's sequence the agent was started under, decimal; the agent removes it
//	descriptor 3   stop: a byte or end of file means leave; end of file says that the launcher is gone
//	descriptor 4   beat: a byte now and then, never blocking
//	lock/agent     the agent holds its record lock from its first act to its end

// StartVariable is the environment variable that carries the sequence.
const StartVariable = "SSM_START"

const (
	stopDescriptor = 3
	beatDescriptor = 4
)

// Sequence is the pointer's sequence this agent was started under.
func (c *Child) Sequence() uint64 { return c.sequence }

// Stop is closed when the agent is to leave: a stop byte, or the launcher is gone.
func (c *Child) Stop() <-chan struct{} { return c.stop }

// LauncherGone reports whether Stop was closed because the launcher died: then nobody else ends or restarts this agent.
func (c *Child) LauncherGone() bool { return c.gone.Load() }

// Rival is the id of another agent process of this installation that had the agent lock when this one came; 0 if none. An agent
// with a rival leaves at once.
func (c *Child) Rival() int { return c.rival }

// LockError says why the agent lock could not be taken, if so. The agent runs all the same.
func (c *Child) LockError() error { return c.lockError }
