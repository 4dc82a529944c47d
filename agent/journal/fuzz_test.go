package journal

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Whatever a state file holds: the journal opens, and the file is a job under its own name, or is said to be broken.
func FuzzState(f *testing.F) {
	const node, id = "mi-0123456789abcdef0", "2b196342-d7d4-436e-8f09-3883a1116ac3"
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	j, err := Open(f.TempDir(), node, "orchestration", "")
	if err != nil {
		f.Fatal(err)
	}
	job := &Job{DocumentType: SendCommand, UpstreamServiceName: "MessageDeliveryService", SchemaVersion: "2.2",
		InstancePluginsInformation: []Plugin{{Name: "aws:runShellScript", Id: "runIt"}},
		DocumentInformation: Information{DocumentID: id, CommandID: id, InstanceID: node, MessageID: "aws.ssm." + id + "." + node,
			CreatedDate: "2026-03-04T05:06:07.000Z"}}
	if err := j.Accept(job); err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(filepath.Join(j.state(pending), id))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole, true)
	f.Add(whole, false)
	f.Add(whole[:len(whole)/2], true)
	f.Add([]byte(`{"DocumentInformation":{"DocumentID":"../x"}}`), false)
	f.Add([]byte(`{"DocumentType":"CancelCommand","CancelInformation":{"CancelMessageID":"x"}}`), true)
	f.Fuzz(func(t *testing.T, text []byte, waiting bool) {
		j, err := Open(t.TempDir(), node, "orchestration", "")
		if err != nil {
			t.Fatal(err)
		}
		j.retry = 0
		where := current
		if waiting {
			where = pending
		}
		if err := os.WriteFile(filepath.Join(j.state(where), id), text, 0o600); err != nil {
			t.Fatal(err)
		}
		found, err := j.Load(1, now, func(string) bool { return false })
		if err != nil {
			return
		}
		for _, job := range append(found.Pending, found.Current...) {
			if job.ID().String() != id {
				t.Errorf("%q lies under %s", job.ID(), id)
			}
		}
	})
}
