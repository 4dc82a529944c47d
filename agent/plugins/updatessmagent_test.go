package plugins

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/regions/wire"
	"github.com/ssm-setup/ssm-setup/updater"
)

// update runs the action; the request it hands over, if any, goes to taken.
func update(t *testing.T, c Call, answer error) (o Outcome, stdout, stderr string, taken []updater.Request) {
	t.Helper()
	var out, fail bytes.Buffer
	c.Stdout, c.Stderr, c.Log = &out, &fail, slog.New(slog.DiscardHandler)
	o = c.update(func(l installer.Layout, r updater.Request) error {
		if l.Root != c.Machine.Root {
			t.Errorf("layout of %q", l.Root)
		}
		taken = append(taken, r)
		return answer
	})
	return o, out.String(), fail.String(), taken
}

func updateCall(root string, inputs map[string]any) Call {
	return Call{
		StepID: "awsupdateSsmAgent", Name: "aws:updateSsmAgent", Inputs: inputs, OutputDir: filepath.Join(root, "out"),
		MessageID: "aws.ssm.2b196342-d7d4-436e-8f09-3883a1116ac3.mi-0123456789abcdef0", Lane: "MessageDeliveryService",
		Machine: Machine{Root: root, Region: "local"},
	}
}

func TestUpdateIsHandedOver(t *testing.T) {
	root := t.TempDir()
	c := updateCall(root, map[string]any{"agentName": "amazon-ssm-agent", "allowDowngrade": "false", "targetVersion": "9.2.0.0",
		"source": "https://example/{Region}/manifest.json"})
	o, stdout, stderr, taken := update(t, c, nil)
	if o.Status != wire.InProgress || o.Code != 0 || !strings.HasSuffix(stdout, " has taken the request\n") || stderr != "" || len(taken) != 1 {
		t.Fatalf("%+v %q %q %v", o, stdout, stderr, taken)
	}
	r := taken[0]
	if r.Want != "9.2.0.0" || r.AllowDowngrade || r.Why != updater.ByDocument || r.Package != "amazon-ssm-agent" || r.Source != "https://example/{Region}/manifest.json" {
		t.Errorf("%+v", r)
	}
	to := r.ReplyTo
	if to.CommandID != "2b196342-d7d4-436e-8f09-3883a1116ac3" || to.PluginKey != "awsupdateSsmAgent" || to.PluginName != "aws:updateSsmAgent" ||
		to.Upstream != "MessageDeliveryService" || to.Stdout != filepath.Join(root, "out", "stdout") || to.StepName != "" || to.Prefix != "" {
		t.Errorf("%+v", to)
	}
}

func TestUpdateRepliesOfOldDocumentsAndBuckets(t *testing.T) {
	c := updateCall(t.TempDir(), map[string]any{"AllowDowngrade": "True"})
	c.StepID, c.OutputBucket, c.OutputPrefix, c.OutputStep = c.Name, "b", "pre/cmd/mi-0/awsupdateSsmAgent", "0.awsupdateSsmAgent"
	_, _, _, taken := update(t, c, nil)
	if to := taken[0].ReplyTo; to.PluginKey != "aws:updateSsmAgent" || to.PluginName != "" || to.Bucket != "b" ||
		to.Prefix != "pre/cmd/mi-0/awsupdateSsmAgent/0.awsupdateSsmAgent" || to.StepName != "0.awsupdateSsmAgent" || !taken[0].AllowDowngrade {
		t.Errorf("%+v", to)
	}
}

func TestUpdateThatIsNotTaken(t *testing.T) {
	good := map[string]any{"allowDowngrade": "false"}
	for _, c := range []struct {
		inputs  map[string]any
		answer  error
		stderr  string
		started bool
	}{
		{map[string]any{"allowDowngrade": "maybe"}, nil, `strconv.ParseBool: parsing "maybe": invalid syntax`, false},
		{map[string]any{}, nil, `strconv.ParseBool: parsing "": invalid syntax`, false},
		{map[string]any{"allowDowngrade": true}, nil, "invalid format in plugin properties map[allowDowngrade:true];\nerror json: cannot unmarshal bool", false},
		{good, updater.ErrBusy, "Another update in progress, try again later", true},
		{good, fmt.Errorf("%w: no such file", updater.ErrDied), "Updater died before updating, make sure your system is supported", true},
		{good, errors.New("not here"), "not here", true},
	} {
		o, stdout, stderr, taken := update(t, updateCall(t.TempDir(), c.inputs), c.answer)
		if o.Status != wire.Failed || o.Code != 1 || stdout != "" || !strings.HasPrefix(stderr, c.stderr) || (len(taken) > 0) != c.started {
			t.Errorf("%v: %+v %q %q", c.inputs, o, stdout, stderr)
		}
	}
}
