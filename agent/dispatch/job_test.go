package dispatch

import (
	"testing"

	"github.com/ssm-setup/ssm-setup/agent/document"
	"github.com/ssm-setup/ssm-setup/agent/journal"
	"github.com/ssm-setup/ssm-setup/agent/mailbox"
)

func TestAStepComesBackFromItsStateFileAsItWentIn(t *testing.T) {
	job := &journal.Job{SchemaVersion: "2.2"}
	in := document.Step{ID: "a", Action: "aws:runShellScript", Inputs: map[string]any{"runCommand": []any{"x"}, "n": 3.0},
		Preconditions: []document.Precondition{{Operator: "StringEquals", Arguments: []document.Argument{
			{Written: "{{p}}", Resolved: "{{p}}", Parameter: true}, {Written: "x", Resolved: "x"}}}}}
	out := step(plugin(job, in))
	if out.ID != in.ID || out.Action != in.Action || len(out.Preconditions) != 1 ||
		out.Preconditions[0].Arguments[0] != in.Preconditions[0].Arguments[0] ||
		out.Preconditions[0].Arguments[1] != in.Preconditions[0].Arguments[1] ||
		out.Inputs.(map[string]any)["n"] != 3.0 {
		t.Errorf("%+v", out)
	}
}

func TestNamesOfObjectsAndLogGroups(t *testing.T) {
	if got := groupName("arn:aws:ssm:x:1:document/A B"); got != "arn.aws.ssm.x.1.document/A.B" {
		t.Error(got)
	}
	if got := joinKey("/a//b/", "c", "", "d"); got != "a/b/c/d" {
		t.Error(got)
	}
}

func TestAPayloadThatIsNoCommandIsRefusedInItsOwnWords(t *testing.T) {
	for payload, want := range map[string]string{
		`{}`: "Document with schema version  is not supported by this version of ssm agent, please update to latest version",
		`[]`: "encountered error while parsing input - internal error json: cannot unmarshal array into the payload of type object",
		`{"Parameters":"x"}`: "encountered error while parsing input - internal error json: cannot unmarshal string into Parameters of " +
			"type object",
	} {
		_, err := (&converter{}).parse(mailbox.Message{Payload: payload})
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v", payload, err)
		}
	}
}
