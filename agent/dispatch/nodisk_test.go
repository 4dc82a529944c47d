package dispatch

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/journal"
	"github.com/ssm-setup/ssm-setup/agent/mailbox"
)

// withoutPending is a queue whose journal can put no command on disk: a file lies where their folder should. Its commands wait until
// the returned function is called.
func withoutPending(t *testing.T) (q *queue, memory string, ran chan *command) {
	t.Helper()
	data := t.TempDir()
	memory = t.TempDir()
	pending := filepath.Join(data, someNode, "document", "state", "pending")
	if err := errors.Join(os.MkdirAll(filepath.Dir(pending), 0o700), os.WriteFile(pending, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(data, someNode, "orchestration", memory)
	if err != nil {
		t.Fatal(err)
	}
	ran = make(chan *command, 10)
	q = newTestQueue(t, func(c *command) { ran <- c })
	q.journal = j
	return q, memory, ran
}

// unkept is what the queue says of a command that it keeps in memory.
func unkept(t *testing.T, q *queue, m mailbox.Message) *mailbox.Unkept {
	t.Helper()
	var u *mailbox.Unkept
	if err := q.accept(t.Context(), m); !errors.As(err, &u) {
		t.Fatalf("%v", err)
	}
	return u
}

func needsMemory(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("this system has no folder in memory")
	}
}

// Accepted and kept nowhere, it would be lost; not answered, it would be sent again and again until it is too old.
func TestACommandThatCanBeKeptNowhereIsAnsweredWithTheReason(t *testing.T) {
	q, _, _ := withoutPending(t)
	q.parse = func(m mailbox.Message) (*journal.Job, error) {
		job := someJob(m.ID)
		job.InstancePluginsInformation[0].Configuration.Properties = strings.Repeat("x", 64<<10)
		return job, nil
	}
	var rejected *mailbox.Rejected
	if err := q.accept(t.Context(), numbered(1)); !errors.As(err, &rejected) || !strings.Contains(rejected.Trace, "pending") {
		t.Errorf("%v", err)
	}
}

// Once it is acknowledged nothing brings it again; before, everything does.
func TestACommandInMemoryRunsOnceAndOnlyAfterItIsAcknowledged(t *testing.T) {
	needsMemory(t)
	q, _, ran := withoutPending(t)
	unkept(t, q, numbered(1)).Begin(false)
	u := unkept(t, q, numbered(1))
	if err := q.accept(t.Context(), numbered(1)); !errors.Is(err, mailbox.ErrDuplicate) {
		t.Errorf("a copy before the acknowledgement: %v", err)
	}
	if len(ran) != 0 {
		t.Error("it runs before it is acknowledged")
	}
	u.Begin(true)
	c := <-ran
	q.busy.Wait()
	if err := q.journal.Done(c.Job); err != nil {
		t.Error(err)
	}
	if err := q.accept(t.Context(), numbered(1)); !errors.Is(err, mailbox.ErrDuplicate) {
		t.Errorf("a copy after its end: %v", err)
	}
}

func TestFiveCommandsAtMostAreKeptInMemory(t *testing.T) {
	needsMemory(t)
	q, _, _ := withoutPending(t)
	for i := range 5 {
		unkept(t, q, numbered(i))
	}
	var rejected *mailbox.Rejected
	if err := q.accept(t.Context(), numbered(5)); !errors.As(err, &rejected) || !strings.Contains(rejected.Trace, "5 commands") {
		t.Errorf("%v", err)
	}
}

// The agent that had it may have begun it.
func TestACommandInMemoryIsNotRunByTheNextAgent(t *testing.T) {
	needsMemory(t)
	q, _, _ := withoutPending(t)
	unkept(t, q, numbered(1))
	l, err := q.journal.Load(15, time.Now(), nil)
	if len(l.Pending) != 0 || len(l.Broken) != 1 || l.Broken[0].Job.DocumentInformation.MessageID != numbered(1).ID {
		t.Errorf("%+v, %v", l, err)
	}
	if err := q.journal.GiveUp(l.Broken[0]); err != nil {
		t.Error(err)
	}
	if l, _ := q.journal.Load(15, time.Now(), nil); len(l.Broken) != 0 {
		t.Errorf("%+v", l)
	}
}

// An account that may write there could have the agent run what it likes.
func TestAFolderInMemoryThatOthersMayOpenIsNotUsed(t *testing.T) {
	needsMemory(t)
	q, memory, _ := withoutPending(t)
	dir := filepath.Join(memory, "ssm-setup")
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	var rejected *mailbox.Rejected
	if err := q.accept(t.Context(), numbered(1)); !errors.As(err, &rejected) || !strings.Contains(rejected.Trace, "open to others") {
		t.Errorf("%v", err)
	}
}
