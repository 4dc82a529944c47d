package runner_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/output"
	"github.com/ssm-setup/ssm-setup/agent/plugins"
	"github.com/ssm-setup/ssm-setup/agent/runner"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// say is an action for these tests: its inputs say what it writes and how it ends.
func say(_ context.Context, c plugins.Call) plugins.Exit {
	raw, _ := json.Marshal(c.Inputs)
	var in struct {
		Out, Err, Status, Shown, Panic string
		Code                           int
	}
	if json.Unmarshal(raw, &in) != nil {
		return plugins.Exit{Status: wire.Failed, Code: 1}
	}
	if in.Panic != "" {
		panic(in.Panic)
	}
	fmt.Fprint(c.Stdout, in.Out)
	fmt.Fprint(c.Stderr, in.Err)
	o := plugins.Exit{Status: in.Status, Code: in.Code, Output: in.Shown}
	if o.Status == "" && o.Code == 0 {
		o.Status = wire.Success
	} else if o.Status == "" {
		o.Status = wire.Failed
	}
	return o
}

// bench is an engine whose results are noted.
type bench struct {
	runner.Sequencer
	told []runner.Result
}

func newBench(t *testing.T, content string) *bench {
	t.Helper()
	b := &bench{}
	b.Sequencer = runner.Sequencer{
		Job: job(t, content, nil), System: "linux", Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Actions: []plugins.Action{
			{Name: "aws:say", Systems: []string{"linux"}, Run: say},
			{Name: "aws:elsewhere", Systems: []string{"windows"}, Run: say},
			{Name: "aws:notYet", Systems: []string{"linux"}},
		},
		Tell: func(_ int, r runner.Result, _ bool) { b.told = append(b.told, r) },
	}
	return b
}

// doc is a document of steps named s0, s1, … each given as the members after its name.
func doc(schema string, steps ...string) string {
	for i, s := range steps {
		steps[i] = fmt.Sprintf(`{"name":"s%d",%s}`, i, s)
	}
	return `{"schemaVersion":"` + schema + `","parameters":{"p":{"type":"String","default":"v"}},"mainSteps":[` + strings.Join(
		steps,
		",",
	) + `]}`
}

func inputs(in string) string { return `"action":"aws:say","inputs":` + in }

func statuses(results []runner.Result) (out []string) {
	for _, r := range results {
		out = append(out, r.Status)
	}
	return out
}

func TestWhichStepsAreSkippedOrFailBeforeTheyRun(t *testing.T) {
	const (
		unknown     = "Plugin with name aws:unknown is not supported by this version of ssm agent, please update to latest version. Step name: s0"
		unsupported = "Step execution skipped due to unsupported plugin: aws:elsewhere. Step name: s0"
		windows     = `,"precondition":{"StringEquals":["platformType","Windows"]}`
		linux       = `,"precondition":{"StringEquals":["platformType","Linux"]}`
		odd         = `,"precondition":{"StringLike":["platformType","Linux"]}`
	)
	for _, c := range []struct{ schema, step, status, text string }{
		{"2.2", inputs(`{}`), wire.Success, ""},
		{"2.2", inputs(`{}`) + linux, wire.Success, ""},
		{"2.2", `"action":"aws:unknown"`, wire.Failed, unknown},
		{"2.2", `"action":"aws:elsewhere"`, wire.Skipped, unsupported},
		{"2.2", `"action":"aws:notYet"`, wire.Failed, "Plugin with name aws:notYet not found. Step name: s0"},
		{"2.2", `"action":"aws:unknown"` + linux, wire.Failed, unknown},
		{"2.2", `"action":"aws:unknown"` + windows, wire.Skipped, strings.ReplaceAll(unsupported, "elsewhere", "unknown")},
		{"2.2", `"action":"aws:elsewhere"` + windows, wire.Skipped, unsupported},
		{"2.2", inputs(`{}`) + windows, wire.Skipped, `Step execution skipped due to unsatisfied preconditions: '"StringEquals": [platformType, Windows]'. Step name: s0`},
		{"2.2", inputs(`{}`) + odd, wire.Failed, `Unrecognized precondition(s): 'unrecognized operator: "StringLike"', please update agent to latest version. Step name: s0`},
		{"2.2", inputs(`{}`) + `,"precondition":{"Odd":[],"StringEquals":["{{ p }}","w"]}`, wire.Skipped,
			`Step execution skipped due to unsatisfied preconditions: '"StringEquals": [{{ p }}, w], unrecognized operator: "Odd"'. Step name: s0`},
		{"2.0", inputs(`{}`), wire.Success, ""},
		{"2.0", `"action":"aws:unknown"`, wire.Failed, unknown},
		{"2.0", `"action":"aws:elsewhere"`, wire.Failed, "Plugin with name aws:elsewhere not found. Step name: s0"},
		{"2.0", inputs(`{}`) + linux, wire.Failed, "Precondition is not supported for document schema version prior to 2.2. Step name: s0"},
		{"2.0", `"action":"aws:notYet"`, wire.Failed, "Plugin with name aws:notYet not found. Step name: s0"},
	} {
		t.Run(c.schema+" "+c.step, func(t *testing.T) {
			b := newBench(t, doc(c.schema, c.step))
			results, _ := b.Run(t.Context(), nil)
			shown := results[0].Wire()
			if shown.Status != c.status || shown.Output != c.text {
				t.Errorf("%s %s", shown.Status, shown.Output)
			}
			if want := 0; c.status == wire.Failed {
				want = 1
				if shown.Code != want {
					t.Errorf("code %d", shown.Code)
				}
			}
		})
	}
}

func TestExitCodesAndOnFailureDecideHowADocumentGoesOn(t *testing.T) {
	const (
		end168 = "\nStep exited with code 168. Therefore, marking step as succeeded. Further document steps will be skipped."
		end169 = "\nStep exited with code 169. Therefore, marking step as Failed. Further document steps will be skipped."
		asked  = "\nStep was found to have onFailure property. Further document steps will be skipped."
	)
	for _, c := range []struct {
		name, first         string
		status, out, err    string
		code                int
		second              string
		document, firstText string
	}{
		{"fails, goes on", `{"Out":"o","Err":"e","code":3}`, wire.Failed, "o", "e", 3, wire.Success, wire.Failed, "o\n----------ERROR-------\ne"},
		{"168", `{"Out":"o","Err":"e","code":168,"status":"Success"}`, wire.Success, "o" + end168, "", 168, wire.Skipped, wire.Success, "o"},
		{"169", `{"Out":"o","code":169}`, wire.Failed, "o" + end169, end169, 169, wire.Skipped, wire.Failed, "o"},
		{"onFailure exit", `{"Out":"o","code":3,"onFailure":"exit"}`, wire.Failed, "o" + asked, asked, 3, wire.Skipped, wire.Failed, "o"},
		{"onFailure successAndExit", `{"code":3,"Err":"e","onFailure":"successAndExit"}`, wire.Success, asked, "e" + asked, 168, wire.Skipped,
			wire.Success, "\n----------ERROR-------\ne"},
		{"onFailure without a failure", `{"onFailure":"exit"}`, wire.Success, "", "", 0, wire.Success, wire.Success, ""},
		{"onSuccess exit", `{"onSuccess":"exit"}`, wire.Success, "", "", 0, wire.Skipped, wire.Success, ""},
		{"a time limit is no failure", `{"code":137,"status":"TimedOut","onFailure":"exit"}`, wire.TimedOut, "", "", 137, wire.Success,
			wire.TimedOut, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, doc("2.2", inputs(c.first), inputs(`{}`)))
			results, document := b.Run(t.Context(), nil)
			first, second := results[0], results[1]
			if first.Status != c.status || first.Code != c.code || first.StandardOutput != c.out || first.StandardError != c.err ||
				first.Output != c.firstText {
				t.Errorf("first %+v", first)
			}
			if second.Status != c.second || document != c.document {
				t.Errorf("second %s, document %s", second.Status, document)
			}
			if c.second == wire.Skipped && second.Output != "Plugin with name aws:say and id s1 skipped due to prior step with an exit condition" {
				t.Errorf("second says %s", second.Output)
			}
		})
	}
}

func TestOnFailureOutsideTheInputsMeansNothing(t *testing.T) {
	b := newBench(t, doc("2.2", inputs(`{"code":3}`)+`,"onFailure":"exit"`, inputs(`{}`)))
	if results, _ := b.Run(t.Context(), nil); results[1].Status != wire.Success {
		t.Errorf("%+v", results[1])
	}
}

func TestAFinallyStepRunsAfterAnExit(t *testing.T) {
	for _, value := range []string{`true`, `"true"`} {
		b := newBench(t, doc("2.2", inputs(`{"onSuccess":"exit"}`), inputs(`{"finallyStep":`+value+`}`), inputs(`{"finallyStep":`+value+`}`)))
		results, _ := b.Run(t.Context(), nil)
		if got := statuses(results); !reflect.DeepEqual(got, []string{wire.Success, wire.Skipped, wire.Success}) {
			t.Errorf("%v", got)
		}
	}
}

func TestStepsThatRanBeforeAReboot(t *testing.T) {
	b := newBench(t, doc("2.2", inputs(`{"Out":"never"}`), inputs(`{"Out":"never"}`), inputs(`{"Out":"again"}`), inputs(`{}`)))
	saved := map[int]runner.Result{
		0: {
			PluginID: "s0",
			Status:   wire.Success,
		},
		1: {PluginID: "s1", Status: wire.Failed, Code: 4},
		2: {PluginID: "s2", Status: wire.SuccessAndReboot},
	}
	results, document := b.Run(t.Context(), saved)
	if got := statuses(
		results,
	); !reflect.DeepEqual(got, []string{wire.Success, wire.Failed, wire.Success, wire.Success}) ||
		document != wire.Failed {
		t.Errorf("%v %s", got, document)
	}
	var ids []string
	for _, r := range b.told {
		ids = append(ids, r.PluginID)
	}
	if !reflect.DeepEqual(ids, []string{"s1", "s2", "s3"}) || b.told[0].Code != 4 || b.told[1].StandardOutput != "again" {
		t.Errorf("told %v", ids)
	}
}

func TestARebootStopsTheSteps(t *testing.T) {
	b := newBench(t, doc("2.2", inputs(`{"code":3}`), inputs(`{"status":"SuccessAndReboot","code":194}`), inputs(`{}`)))
	last := false
	b.Tell = func(_ int, _ runner.Result, l bool) { last = l }
	results, document := b.Run(t.Context(), nil)
	if len(results) != 2 || document != wire.SuccessAndReboot || !last {
		t.Errorf("%v %s", statuses(results), document)
	}
}

func TestAnActionThatPanicsFailsItsStep(t *testing.T) {
	b := newBench(t, doc("2.2", inputs(`{"panic":"boom"}`), inputs(`{}`)))
	results, document := b.Run(t.Context(), nil)
	if r := results[0]; r.Status != wire.Failed || r.Code != 1 || r.Wire().Output != "Plugin crashed with message boom!" {
		t.Errorf("%+v", r)
	}
	if results[1].Status != wire.Success || document != wire.Failed {
		t.Errorf("%v %s", statuses(results), document)
	}
}

// macOS knows the actions that are meant for Linux, and does not support them.
func TestAnActionOfLinuxIsNotSupportedOnMacOS(t *testing.T) {
	b := newBench(t, doc("2.0", inputs(`{}`)))
	b.System = "darwin"
	results, _ := b.Run(t.Context(), nil)
	if got := results[0].Wire().Output; got != "Plugin with name aws:say is not supported in current platform. Step name: s0" {
		t.Error(got)
	}
}

func TestAnActionOfWindowsOnlyIsNotFoundOnLinux(t *testing.T) {
	for _, content := range []string{doc("2.0", `"action":"aws:psModule"`),
		`{"schemaVersion":"1.2","runtimeConfig":{"aws:psModule":{"properties":{}}}}`} {
		b := newBench(t, content)
		b.Actions = plugins.Table(plugins.Ports{})
		results, document := b.Run(t.Context(), nil)
		want := "Plugin with name aws:psModule not found. Step name: " + b.Job.Steps[0].ID
		if r := results[0]; r.Wire().Output != want || document != wire.Failed {
			t.Errorf("%q, %s", r.Wire().Output, document)
		}
	}
}

func TestBothStreamsOfAListAreJoinedByLines(t *testing.T) {
	b := newBench(t, `{"schemaVersion":"1.2","runtimeConfig":{"aws:say":{"properties":[
		{"id":"0","Out":"o","Err":"e3","code":3},{"id":"1","Out":"o","Err":"e3","code":3}]}}}`)
	results, _ := b.Run(t.Context(), nil)
	if r := results[0]; r.StandardOutput != "o\no" || r.StandardError != "e3\ne3" {
		t.Errorf("%q %q", r.StandardOutput, r.StandardError)
	}
}

func TestACodeThatEndsTheDocumentDecidesAloneInAList(t *testing.T) {
	for _, c := range []struct {
		name, list, status string
		code               int
		stderr             string
	}{
		{"168, then a failure", `[{"code":168,"status":"Success"},{"code":3,"Err":"e"}]`, wire.Success, 168, ""},
		{"169, then a time limit", `[{"code":169},{"code":137,"status":"TimedOut"}]`, wire.Failed, 169,
			"\nStep exited with code 169. Therefore, marking step as Failed. Further document steps will be skipped."},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, doc("2.2", inputs(c.list), inputs(`{}`)))
			results, document := b.Run(t.Context(), nil)
			if r := results[0]; r.Status != c.status || r.Code != c.code || r.StandardError != c.stderr || document != c.status {
				t.Errorf("%+v, document %s", r, document)
			}
			if results[1].Status != wire.Skipped {
				t.Errorf("a later step is %s", results[1].Status)
			}
		})
	}
}

func TestAListOfInputsMakesOneResult(t *testing.T) {
	b := newBench(t, `{"schemaVersion":"1.2","runtimeConfig":{"aws:say":{"properties":[
		{"id":"0.aws:say","Out":"a"},{"id":"1.aws:say","Out":"b","Err":"e","code":3},{"id":"2.aws:say","Out":"c"}]}}}`)
	results, document := b.Run(t.Context(), nil)
	r := results[0]
	if r.Code != 3 || r.Status != wire.Failed || r.StandardOutput != "a\nb\nc" || r.StandardError != "e" || document != wire.Failed {
		t.Errorf("%+v", r)
	}
	if r.PluginID != "aws:say" || r.Upload.Step != "" {
		t.Errorf("id %q, step name %q", r.PluginID, r.Upload.Step)
	}
}

func TestStepsAfterACancelAreCancelled(t *testing.T) {
	b := newBench(t, doc("2.2", inputs(`{}`), `"action":"aws:elsewhere"`, inputs(`{}`)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	results, document := b.Run(ctx, nil)
	if got := statuses(
		results,
	); !reflect.DeepEqual(got, []string{wire.Cancelled, wire.Skipped, wire.Cancelled}) ||
		document != wire.Cancelled {
		t.Errorf("%v %s", got, document)
	}
	if r := results[0]; r.Code != 1 || r.Output != "" {
		t.Errorf("%+v", r)
	}
}

func TestTheStatusOfADocument(t *testing.T) {
	for _, c := range []struct{ steps, want string }{
		{"Success Failed", wire.Failed}, {"SuccessAndReboot Failed", wire.SuccessAndReboot}, {"Success Skipped", wire.Success},
		{"Skipped Skipped", wire.Success}, {"TimedOut Cancelled", wire.TimedOut}, {"Cancelled Success", wire.Cancelled},
		{"Success InProgress", wire.InProgress}, {"Failed TimedOut", wire.Failed},
	} {
		var results []runner.Result
		for _, s := range strings.Fields(c.steps) {
			results = append(results, runner.Result{Status: s})
		}
		if got := runner.Aggregate(results); got != c.want {
			t.Errorf("%s: %s", c.steps, got)
		}
	}
}

func TestTheActionsOwnOutputIsShown(t *testing.T) {
	b := newBench(t, doc("2.2", inputs(`{"Out":"o","Shown":"mine"}`)))
	if results, _ := b.Run(t.Context(), nil); results[0].Output != "mine" || results[0].StandardOutput != "o" {
		t.Errorf("%+v", results[0])
	}
}

func TestLongStreamsAreCut(t *testing.T) {
	b := newBench(t, doc("2.2", inputs(`{"Out":"`+strings.Repeat("x", 30000)+`"}`)))
	results, _ := b.Run(t.Context(), nil)
	if r := results[0]; len(r.StandardOutput) != 24000 || !strings.HasSuffix(r.StandardOutput, "--output truncated--") ||
		len(r.Output) != 2500 {
		t.Errorf("%d %d", len(r.StandardOutput), len(r.Output))
	}
}

func TestWhereOutputGoes(t *testing.T) {
	for _, c := range []struct{ name, content, dir, step string }{
		{"2.2", doc("2.2", inputs(`{"Out":"o"}`)), "awssay/s0", "s0"},
		{"1.2", `{"schemaVersion":"1.2","runtimeConfig":{"aws:say":{"properties":{"id":"0.aws:say","Out":"o"}}}}`, "awssay/0.awssay", "0.awssay"},
		{"1.2 without id", `{"schemaVersion":"1.2","runtimeConfig":{"aws:say":{"properties":{"Out":"o"}}}}`, "awssay", ""},
		{"a name that leads elsewhere", `{"schemaVersion":"2.2","mainSteps":[{"name":"../../x","action":"aws:say","inputs":{"Out":"o"}}]}`, "awssay/.._.._x", ".._.._x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, c.content)
			b.Job.Output.Bucket, b.Job.Output.Prefix = "bucket", "/pre//fix/command/instance"
			b.Sinks = []output.Sink{place("")}
			results, _ := b.Run(t.Context(), nil)
			if got := readFile(t, b.Job.Directory, c.dir, "stdout"); got != "o" {
				t.Errorf("stdout holds %q", got)
			}
			r := results[0]
			if r.Bucket != "bucket" || r.Prefix != "pre/fix/command/instance/awssay" || r.Upload.Step != c.step {
				t.Errorf("%+v", r)
			}
		})
	}
}

// place keeps everything, or nothing with a note.
func place(note string) output.Sink {
	return output.Sink{Name: "place", Wanted: func(output.Settings) bool { return true },
		Begin: func(context.Context, output.Settings, output.Location) output.Keeping {
			return func(_ context.Context, l output.Location) output.Kept {
				if note != "" {
					return output.Kept{Note: note}
				}
				return output.Kept{Upload: l.Upload}
			}
		}}
}

// A reply that named a bucket would send people to look for what is not there.
func TestOutputThatIsNotKeptInTheRegionIsSaidAndCostsNoStepItsStatus(t *testing.T) {
	const note = "\nThe place does not have it.\n"
	b := newBench(t, doc("2.2", inputs(`{"Out":"`+strings.Repeat("x", 30000)+`"}`), inputs(`{"Out":"o","code":168}`), `"action":"aws:notYet"`))
	b.Sinks = []output.Sink{place(note)}
	b.Job.Output.Bucket, b.Job.Output.Prefix, b.Job.Output.LogGroup = "bucket", "prefix", "group"
	results, status := b.Run(t.Context(), nil)
	if status != wire.Success {
		t.Error(status)
	}
	for i, r := range results {
		if r.Upload != (output.Upload{}) {
			t.Errorf("step %d names a place: %+v", i, r.Upload)
		}
		if ran := i < 2; strings.Contains(r.Output, note) != ran || strings.Contains(r.StandardOutput, note) != ran {
			t.Errorf("step %d: %.80q %.80q", i, r.Output, r.StandardOutput)
		}
	}
}

func TestWhatTheDiskDoesNotTakeIsKeptNowhereElseAndNothingIsNamed(t *testing.T) {
	b := newBench(t, doc("2.2", inputs(`{"Out":"o"}`)))
	b.Sinks = []output.Sink{place("")}
	b.Job.Output.Bucket, b.Job.NoDisk = "bucket", "no space left"
	results, _ := b.Run(t.Context(), nil)
	if r := results[0]; r.Upload != (output.Upload{}) || !strings.Contains(r.Output, "kept nowhere else (no space left)") {
		t.Errorf("%+v", r)
	}
}
