package dispatch

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/document"
	"github.com/ssm-setup/ssm-setup/agent/journal"
	"github.com/ssm-setup/ssm-setup/agent/mailbox"
)

// No payload makes the agent panic, and no job lies outside of the journal.
func FuzzCommand(f *testing.F) {
	f.Add("aws.ssm.2b196342-d7d4-436e-8f09-3883a1116ac3.mi-0123456789abcdef0", `{"Parameters":{"commands":["echo {{ssm:x}}"]},`+
		`"DocumentContent":{"schemaVersion":"2.2","parameters":{"commands":{"type":"StringList"}},"mainSteps":[{"action":"aws:runShellScript",`+
		`"name":"runIt","precondition":{"StringEquals":["platformType","Linux"]},"inputs":{"runCommand":"{{ commands }}"}}]},`+
		`"CommandId":"2b196342-d7d4-436e-8f09-3883a1116ac3","DocumentName":"arn:aws:ssm:x:1:document/A:2","OutputS3BucketName":"b",`+
		`"OutputS3KeyPrefix":"/a//b","CloudWatchLogGroupName":"","CloudWatchOutputEnabled":"true"}`)
	f.Add("aws.ssm...mi-1", `{"DocumentContent":{"schemaVersion":"1.2","runtimeConfig":{"aws:x":{"properties":[]}}}}`)
	f.Add("", `{`)
	j, err := journal.Open(f.TempDir(), "mi-0123456789abcdef0", "orchestration", "")
	if err != nil {
		f.Fatal(err)
	}
	v := &converter{journal: j, now: func() time.Time { return time.Unix(1700000000, 0) }}
	v.resolve = func(names []string) (all []document.Stored, err error) {
		for _, name := range names {
			all = append(all, document.Stored{Name: name, Type: "String", Value: "v", Version: 1})
		}
		return all, nil
	}
	f.Fuzz(func(t *testing.T, id, payload string) {
		job, err := v.parse(mailbox.Message{ID: id, Destination: "mi-0123456789abcdef0", Payload: payload})
		if err != nil {
			return
		}
		if filepath.Dir(job.IOConfig.OrchestrationDirectory) != j.AllOutputs() {
			t.Errorf("outputs of %q lie in %s", id, job.IOConfig.OrchestrationDirectory)
		}
		if a := v.assignment(job); len(a.Steps) == 0 || filepath.Dir(a.Directory) != j.AllOutputs() {
			t.Errorf("%+v", a)
		}
	})
}
