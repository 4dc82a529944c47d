package agent

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/runner"
)

// rebootWait is how long a machine may take to go down. The same boot after that: the step has failed.
const rebootWait = 10 * time.Minute

// rebooter restarts the machine, once however many documents ask for it.
type rebooter struct {
	boot     string                      // id of this boot; "" where the system has none
	shut     func(context.Context) error // asks the system to restart
	patience time.Duration
	now      func() time.Time
	log      *slog.Logger
	asked    chan struct{} // holds one token: the first who takes it asks
}

var errNoReboot = errors.New("this agent does not restart its machine")

// rebooting reports that a document waits for a reboot, asks for it and waits. The command stays open: whoever starts
// the agent in the next boot resumes it.
func (b *bench) rebooting(ctx context.Context, c *command, e runner.Event) {
	c.note(e)
	c.mu.Lock()
	c.SsmSetup.RebootFrom, c.SsmSetup.RebootAsked = b.reboot.boot, b.now()
	c.mu.Unlock()
	if b.tell(ctx, c, e.Seq, runner.EventReply(b.head(), e)) != nil {
		return // not recorded either: the next agent is told of the event again
	}
	b.save(c)
	b.desk.setClosed(true)
	err := b.reboot.ask(ctx)
	if err == nil {
		b.reboot.wait(ctx, c)
		err = errors.New("the machine did not restart within ten minutes")
	}
	if ctx.Err() != nil {
		return
	}
	b.log.Error("reboot failed", "messageID", c.id(), "error", err)
	b.desk.setClosed(false)
	b.failed(ctx, c, seqNoReboot, "a reboot was asked for: "+err.Error())
}

// ask has the machine restart; only the first call of a process does something.
func (r *rebooter) ask(ctx context.Context) error {
	select {
	case <-r.asked:
	default:
		return nil
	}
	r.log.Info("restarting the machine, a document asks for it")
	if err := r.shut(ctx); err != nil {
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
	left := min(r.patience-r.now().Sub(asked), r.patience) // a clock that was set back makes nobody wait longer
	if left > 0 {
		select {
		case <-ctx.Done():
		case <-time.After(left):
		}
	}
	return false
}
