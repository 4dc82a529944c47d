package dispatch

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/runner"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// rebootWait is how long a machine may take to go down. The same boot after that: the step has failed.
const rebootWait = 10 * time.Minute

// rebooter restarts the machine, once however many documents ask for it.
type rebooter struct {
	boot     string                      // id of this boot; "" where the system has none
	restart  func(context.Context) error // asks the system to restart
	patience time.Duration
	now      func() time.Time
	log      *slog.Logger
	asked    chan struct{} // holds one token: the first command that takes it asks
}

// ErrNoRestart is for agents that leave their machine running.
var ErrNoRestart = errors.New("this agent does not restart its machine")

func newRebooter(boot string, restart func(context.Context) error, now func() time.Time, log *slog.Logger) *rebooter {
	r := &rebooter{boot: boot, restart: restart, patience: rebootWait, now: now, log: log, asked: make(chan struct{}, 1)}
	r.asked <- struct{}{}
	return r
}

// rebooting reports that a document waits for a reboot, asks for it and waits; no command is taken meanwhile. The command stays open:
// the agent of the next boot resumes it.
func (x *executor) rebooting(ctx context.Context, c *command, e runner.Event, hold func() (release func())) {
	c.noteReported(e)
	c.mu.Lock()
	c.SsmSetup.RebootFrom, c.SsmSetup.RebootAsked = x.rebooter.boot, x.now()
	c.DocumentInformation.DocumentStatus = wire.SuccessAndReboot // an original agent that comes after this one goes on with it then
	c.mu.Unlock()
	if x.reply(ctx, c, e.Seq, runner.EventReply(x.head(), e)) != nil {
		return // not recorded either: the next agent is told of the event again
	}
	x.save(c)
	release := hold()
	err := x.rebooter.restartOnce(ctx)
	if err == nil {
		x.rebooter.wait(ctx, c)
		err = errors.New("the machine did not restart within ten minutes")
	}
	if ctx.Err() != nil {
		return
	}
	x.log.Error("reboot failed", "messageID", c.messageID(), "error", err)
	release()
	x.failed(ctx, c, seqNoReboot, "a reboot was asked for: "+err.Error())
}

// restartOnce has the machine restart; only the first call of a process does something.
func (r *rebooter) restartOnce(ctx context.Context) error {
	select {
	case <-r.asked:
	default:
		return nil
	}
	r.log.Info("restarting the machine, a document asks for it")
	if err := r.restart(ctx); err != nil {
		r.asked <- struct{}{}
		return err
	}
	return nil
}

// wait returns true at once when the machine was restarted since c asked for it, false when it was not within the time.
func (r *rebooter) wait(ctx context.Context, c *command) bool {
	c.mu.Lock()
	from, asked := c.SsmSetup.RebootFrom, c.SsmSetup.RebootAsked
	c.mu.Unlock()
	if from != r.boot {
		return true
	}
	left := min(r.patience-r.now().Sub(asked), r.patience) // a clock that was set back makes no command wait longer
	if left > 0 {
		select {
		case <-ctx.Done():
		case <-time.After(left):
		}
	}
	return false
}
