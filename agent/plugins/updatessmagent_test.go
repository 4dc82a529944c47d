package plugins

import (
	"bytes"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/agent/output"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// update runs the action; what it hands over, if anything, goes to taken.
func update(t *testing.T, c Call, answer error) (o Exit, stdout, stderr string, taken []Update) {
	t.Helper()
	var out, fail bytes.Buffer
	c.Stdout, c.Stderr, c.Log = &out, &fail, slog.New(slog.DiscardHandler)
	o = updateSsmAgent(func(u Update, _ *slog.Logger) error {
		taken = append(taken, u)
		return answer
	})(t.Context(), c)
	return o, out.String(), fail.String(), taken
}

func updateCall(root string, inputs map[string]any) Call {
	return Call{
		StepID: "awsupdateSsmAgent", Name: "aws:updateSsmAgent", Inputs: inputs, Output: output.Location{Dir: filepath.Join(root, "out")},
		MessageID: "aws.ssm.2b196342-d7d4-436e-8f09-3883a1116ac3.mi-0123456789abcdef0", Lane: "MessageDeliveryService",
		Machine: Machine{Root: root, Region: "local"},
	}
}

func TestAnUpdateIsHandedOver(t *testing.T) {
	root := t.TempDir()
	c := updateCall(root, map[string]any{"agentName": "amazon-ssm-agent", "allowDowngrade": "false", "targetVersion": "9.2.0.0",
		"source": "https://example/{Region}/manifest.json"})
	o, stdout, stderr, taken := update(t, c, nil)
	if o.Status != wire.InProgress || o.Code != 0 || !strings.HasSuffix(stdout, " has taken the request\n") || stderr != "" ||
		len(taken) != 1 {
		t.Fatalf("%+v %q %q %v", o, stdout, stderr, taken)
	}
	u := taken[0]
	if u.Root != root || u.Version != "9.2.0.0" || u.AllowDowngrade || u.Package != "amazon-ssm-agent" ||
		u.Source != "https://example/{Region}/manifest.json" {
		t.Errorf("%+v", u)
	}
	if u.MessageID != c.MessageID || u.StepID != "awsupdateSsmAgent" || u.PluginName != "aws:updateSsmAgent" || u.Started.IsZero() ||
		u.Lane != "MessageDeliveryService" || u.Output.Dir != filepath.Join(root, "out") || u.Output.Upload != (output.Upload{}) {
		t.Errorf("%+v", u)
	}
}

// Documents 1.x name no step: the plugin's name is the key of the answer.
func TestAnUpdateOfAnOldDocumentIsAnsweredUnderThePlugin(t *testing.T) {
	c := updateCall(t.TempDir(), map[string]any{"AllowDowngrade": "True"})
	c.StepID, c.Output.Upload = c.Name, output.Upload{Bucket: "b", Prefix: "p", Step: "s"}
	_, _, _, taken := update(t, c, nil)
	if u := taken[0]; u.StepID != "aws:updateSsmAgent" || u.PluginName != "" || u.Output.Upload != c.Output.Upload || !u.AllowDowngrade {
		t.Errorf("%+v", u)
	}
}

func TestAnUpdateThatIsNotTakenFails(t *testing.T) {
	good := map[string]any{"allowDowngrade": "false"}
	for _, c := range []struct {
		inputs  map[string]any
		answer  error
		stderr  string
		started bool
	}{
		{map[string]any{"allowDowngrade": "maybe"}, nil, `strconv.ParseBool: parsing "maybe": invalid syntax`, false},
		{map[string]any{}, nil, `strconv.ParseBool: parsing "": invalid syntax`, false},
		{map[string]any{"allowDowngrade": true}, nil, "invalid format in plugin properties map[allowDowngrade:true];\nerror json: cannot unmarshal bool into allowDowngrade of type string", false},
		{good, errors.New("not here"), "not here", true},
	} {
		o, stdout, stderr, taken := update(t, updateCall(t.TempDir(), c.inputs), c.answer)
		if o.Status != wire.Failed || o.Code != 1 || stdout != "" || !strings.HasPrefix(stderr, c.stderr) || (len(taken) > 0) != c.started {
			t.Errorf("%v: %+v %q %q", c.inputs, o, stdout, stderr)
		}
	}
}
