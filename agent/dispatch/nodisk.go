package dispatch

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/journal"
	"github.com/ssm-setup/ssm-setup/agent/mailbox"
)

// unkeptMemory is how long a command that no disk took is known to have run.
const unkeptMemory = 30 * time.Minute

// withoutDisk decides about a command that the journal could not put on disk. It runs in memory where there is room, acknowledged
// first and at most once; else its service is told that it failed, and why: to be answered, a command needs no disk. Under q.mu.
func (q *queue) withoutDisk(c *command, cause error) error {
	if errors.Is(cause, journal.ErrLeft) {
		return cause // an agent that comes later may find it on disk: it must not have been answered
	}
	if err := q.journal.KeepInMemory(c.Job, cause); err != nil {
		q.log.Error("command is on no disk and not in memory", "messageID", c.messageID(), "disk", cause, "memory", err)
		return &mailbox.Rejected{Trace: fmt.Sprintf("the agent cannot put this command on its disk (%v), nor run it in memory (%v)", cause, err)}
	}
	q.log.Warn("command is kept in memory, the disk took nothing", "messageID", c.messageID(), "error", cause)
	q.note(c)
	return &mailbox.Unkept{Begin: func(acknowledged bool) { q.beginUnkept(c, acknowledged) }}
}

// beginUnkept lets a command begin, or wait for its turn. One that was not acknowledged comes again.
func (q *queue) beginUnkept(c *command, acknowledged bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !acknowledged {
		delete(q.open, c.messageID())
		delete(q.byID, c.ID().String())
		if err := q.journal.Done(c.Job); err != nil {
			q.log.Error("job not removed", "messageID", c.messageID(), "error", err)
		}
		return
	}
	for id, at := range q.unkept {
		if q.now().Sub(at) > unkeptMemory {
			delete(q.unkept, id)
		}
	}
	q.unkept[c.messageID()] = q.now()
	q.enqueue(c)
}

func (q *queue) ranWithoutDisk(messageID string) bool {
	_, ran := q.unkept[messageID]
	return ran
}

// moveToMemory takes a command off a disk that does not let it begin; false: it has to fail.
func (x *executor) moveToMemory(c *command, cause error) bool {
	full := errors.Is(cause, syscall.ENOSPC) || errors.Is(cause, syscall.EDQUOT) || errors.Is(cause, syscall.EROFS)
	if !full || c.resumed || c.InMemory() {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := x.journal.KeepInMemory(c.Job, cause); err != nil {
		x.log.Error("command is not kept in memory either", "messageID", c.messageID(), "error", err)
		return false
	}
	c.prestarted = nil // abandoned
	return true
}

// unkeptNote says of a job that is kept in memory what that means; "" of another.
func unkeptNote(j *journal.Job) string {
	if !j.InMemory() {
		return ""
	}
	return "the agent's disk took nothing (" + j.SsmSetup.NoDisk + "): the command ran in memory, and its output is kept nowhere else"
}
