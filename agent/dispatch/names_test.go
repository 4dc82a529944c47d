package dispatch

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/agent/journal"
	"github.com/ssm-setup/ssm-setup/agent/mailbox"
	"github.com/ssm-setup/ssm-setup/agent/runner"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// The folder of a worker that is started ahead was made, and removed again, under the id of a message that the journal then refused.
func TestNoMessageIDRemovesAFolder(t *testing.T) {
	data := t.TempDir()
	j, err := journal.Open(data, someNode, "orchestration", "")
	if err != nil {
		t.Fatal(err)
	}
	victim, worker := filepath.Join(data, "victim", "file"), filepath.Join(data, someNode, "channels", "another", "log")
	for _, path := range []string{victim, worker} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	ctx, end := context.WithCancel(t.Context())
	d := New(ctx, Options{Journal: j, Config: config.Default(), InstanceID: someNode, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Worker: runner.Spec{Executable: filepath.Join(data, "none")}, Agent: func() wire.AgentInfo { return wire.AgentInfo{} }})
	const document = `{"DocumentName":"d","DocumentContent":{"schemaVersion":"2.2","mainSteps":[{"action":"aws:runShellScript","name":"a","inputs":{}}]}}`
	for _, id := range []string{"../../victim", "aws.ssm.x..mi", "aws.ssm.../../victim.mi", "aws.ssm.a\x00b.mi", "..", ""} {
		m := mailbox.Message{ID: id, Topic: wire.TopicSendCommand, Destination: someNode, Created: wire.ISOMillis(time.Now()), Payload: document}
		if err := d.queue.accept(ctx, m); !errors.Is(err, journal.ErrName) {
			t.Errorf("%q: %v", id, err)
		}
		m.Topic, m.Payload = wire.TopicCancelCommand, `{"CancelMessageId":"`+"aws.ssm.x..mi"+`"}`
		if err := d.queue.accept(ctx, m); err != nil {
			t.Errorf("cancel %q: %v", id, err)
		}
	}
	end()
	d.Close()
	for _, path := range []string{victim, worker} {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}
