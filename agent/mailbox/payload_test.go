package mailbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/ssm-setup/ssm-setup/agent/mailbox"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// The payloads are in testdata, spread over lines for the reader.
func TestRepliesOfTheLaneItselfHaveTheirFixedForm(t *testing.T) {
	for name, c := range map[string]struct {
		says error
		open bool // the ssmmessages channel
	}{
		"accepted.json": {nil, true},
		"rejected.json": {&mailbox.Rejected{Trace: "Unsupported schema format"}, false},
	} {
		s := newService(t, answer{messages: []wire.Message{message(send, first, "{}")}})
		l := s.open(func(o *mailbox.Options) {
			o.Connected = func() bool { return c.open }
			o.Head = func() wire.AdditionalInfo {
				return wire.AdditionalInfo{DateTime: "2025-03-04T05:06:07.089Z",
					Agent: wire.AgentInfo{Lang: "en-US", Name: "amazon-ssm-agent", OS: "linux", OSVersion: "1", Version: "9.1.0.0"}}
			}
		})
		s.run(l, func(context.Context, mailbox.Message) error { return c.says })
		var got struct{ Payload string }
		if err := json.Unmarshal([]byte(s.wait(1)[0].body), &got); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		var want bytes.Buffer
		if err := json.Compact(&want, text); err != nil {
			t.Fatal(err)
		}
		if got.Payload != want.String() {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got.Payload, want.String())
		}
	}
}
