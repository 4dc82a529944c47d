package watchdog_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/watchdog"
)

// clock is a time that a test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

const tooLong = 31 * time.Second

func TestALoopAtWorkIsStuckAfterHalfAMinute(t *testing.T) {
	c := clock{time.Now()}
	w := watchdog.New(c.now)
	mail, queue := w.Guard("mailbox"), w.Guard("queue")
	mail.Enter()
	queue.Enter()
	queue.Leave()
	if what, stuck := w.Stuck(); stuck {
		t.Error(what)
	}
	c.at = c.at.Add(tooLong)
	if what, stuck := w.Stuck(); !stuck || !strings.Contains(what, "mailbox has been at one piece of work for 31s") {
		t.Error(what, stuck)
	}
	mail.Leave()
	if what, stuck := w.Stuck(); stuck {
		t.Error(what)
	}
}

func TestWaitingIsNeverHeldAgainstALoop(t *testing.T) {
	c := clock{time.Now()}
	w := watchdog.New(c.now)
	mail := w.Guard("mailbox")
	mail.Enter()
	back := mail.Waiting()
	c.at = c.at.Add(tooLong)
	if what, stuck := w.Stuck(); stuck {
		t.Error(what)
	}
	back()
	if what, stuck := w.Stuck(); stuck {
		t.Error("the time of waiting counts:", what)
	}
	c.at = c.at.Add(tooLong)
	if _, stuck := w.Stuck(); !stuck {
		t.Error("afterwards it owes progress again")
	}
}

func TestANilGuardWatchesNothing(t *testing.T) {
	var g *watchdog.Guard
	g.Enter()
	g.Waiting()()
	g.Leave()
}
