package local_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/uuid"

	"github.com/ssm-setup/ssm-setup/regions/local"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// shellTo is a SendCommand of one line, to be changed before it goes out.
func shellTo(nodes ...*agentNode) *ssm.SendCommandInput {
	in := &ssm.SendCommandInput{DocumentName: aws.String("AWS-RunShellScript"), Parameters: shell("echo hi")}
	for _, n := range nodes {
		in.InstanceIds = append(in.InstanceIds, n.id)
	}
	return in
}

func TestSendCommandIsChecked(t *testing.T) {
	r := local.Start(t)
	client, ctx := people(r), context.Background()
	must(t, r.PutDocument("Greeting", greeting))
	n := newNode(t, r)
	for _, c := range []struct {
		name, code string
		change     func(*ssm.SendCommandInput)
	}{
		{"unknown node", "InvalidInstanceId", func(in *ssm.SendCommandInput) { in.InstanceIds = []string{"mi-00000000000000000"} }},
		{"malformed node", "ValidationException", func(in *ssm.SendCommandInput) { in.InstanceIds = []string{"host"} }},
		{"no node", "ValidationException", func(in *ssm.SendCommandInput) { in.InstanceIds = nil }},
		{"node twice", "DuplicateInstanceId", func(in *ssm.SendCommandInput) { in.InstanceIds = []string{n.id, n.id} }},
		{"unknown target", "InvalidInstanceId", func(in *ssm.SendCommandInput) {
			in.InstanceIds, in.Targets = nil, []types.Target{{Key: aws.String("InstanceIds"), Values: []string{"mi-00000000000000000"}}}
		}},
		{"unknown document", "InvalidDocument", func(in *ssm.SendCommandInput) { in.DocumentName = aws.String("None") }},
		{"unknown version", "InvalidDocumentVersion", func(in *ssm.SendCommandInput) { in.DocumentVersion = aws.String("2") }},
		{"hash", "InvalidDocument", func(in *ssm.SendCommandInput) { in.DocumentHash = aws.String(strings.Repeat("0", 64)) }},
		{"short time-out", "ValidationException", func(in *ssm.SendCommandInput) { in.TimeoutSeconds = aws.Int32(29) }},
		{"long time-out", "ValidationException", func(in *ssm.SendCommandInput) { in.TimeoutSeconds = aws.Int32(2592001) }},
		{"concurrency", "ValidationException", func(in *ssm.SendCommandInput) { in.MaxConcurrency = aws.String("0") }},
		{"errors", "ValidationException", func(in *ssm.SendCommandInput) { in.MaxErrors = aws.String("101%") }},
		{"comment", "ValidationException", func(in *ssm.SendCommandInput) { in.Comment = aws.String(strings.Repeat("c", 101)) }},
		{"a log group's name", "ValidationException", func(in *ssm.SendCommandInput) {
			in.CloudWatchOutputConfig = &types.CloudWatchOutputConfig{CloudWatchOutputEnabled: true, CloudWatchLogGroupName: aws.String("a b")}
		}},
		{"missing parameter", "InvalidParameters", func(in *ssm.SendCommandInput) { in.Parameters = nil }},
		{"unknown parameter", "InvalidParameters", func(in *ssm.SendCommandInput) { in.Parameters["mood"] = []string{"good"} }},
		{"execution time", "InvalidParameters", func(in *ssm.SendCommandInput) { in.Parameters["executionTimeout"] = []string{"172801"} }},
		{"several values", "InvalidParameters", func(in *ssm.SendCommandInput) { in.Parameters["workingDirectory"] = []string{"a", "b"} }},
		{"no items", "InvalidParameters", func(in *ssm.SendCommandInput) { in.Parameters["commands"] = []string{} }},
		{"pattern", "InvalidParameters", func(in *ssm.SendCommandInput) {
			in.DocumentName, in.Parameters = aws.String("Greeting"), map[string][]string{"name": {"Bob"}}
		}},
		{"characters", "InvalidParameters", func(in *ssm.SendCommandInput) {
			in.DocumentName, in.Parameters = aws.String("Greeting"), map[string][]string{"name": {"aaaaaaaaaa"}}
		}},
		{"allowed values", "InvalidParameters", func(in *ssm.SendCommandInput) {
			in.DocumentName, in.Parameters = aws.String("Greeting"), map[string][]string{"mode": {"angry"}}
		}},
	} {
		in := shellTo(n)
		c.change(in)
		_, err := client.SendCommand(ctx, in)
		t.Run(c.name, func(t *testing.T) { wantCode(t, err, c.code) })
	}
	must(t, n.ssm("UpdateInstanceInformation", wire.UpdateInstanceInformationInput{InstanceId: n.id, PlatformType: "Windows"}, nil))
	_, err := client.SendCommand(ctx, shellTo(n))
	wantCode(t, err, "UnsupportedPlatformType")
	if len(r.Commands()) != 0 {
		t.Error("a refused command was kept")
	}
}

func TestACommandIsShownAsTheSDKShowsIt(t *testing.T) {
	r := local.Start(t)
	client, ctx := people(r), context.Background()
	n := newNode(t, r)
	in := shellTo(n)
	in.Comment, in.TimeoutSeconds, in.OutputS3BucketName, in.OutputS3KeyPrefix = aws.String("why"), aws.Int32(60), aws.String("results"),
		aws.String("p")
	in.CloudWatchOutputConfig = &types.CloudWatchOutputConfig{CloudWatchLogGroupName: aws.String("g")}
	sent, err := client.SendCommand(ctx, in)
	must(t, err)
	c := sent.Command
	if c.Status != types.CommandStatusPending || *c.StatusDetails != "Pending" || *c.DocumentVersion != "$DEFAULT" || c.TargetCount != 1 ||
		c.CompletedCount != 0 || *c.TimeoutSeconds != 60 || c.ExpiresAfter.Sub(*c.RequestedDateTime) != 3660*time.Second ||
		*c.MaxConcurrency != "50" || *c.MaxErrors != "0" || c.InstanceIds[0] != n.id || c.Parameters["commands"][0] != "echo hi" {
		t.Errorf("%+v", c)
	}
	m := n.poll()[0]
	for _, want := range []string{`"OutputS3BucketName":"results"`, `"OutputS3KeyPrefix":"p"`, `"CloudWatchOutputEnabled":"false"`,
		`"CloudWatchLogGroupName":"g"`} {
		if !strings.Contains(m.Payload, want) {
			t.Errorf("payload without %s", want)
		}
	}
	get := &ssm.GetCommandInvocationInput{CommandId: c.CommandId, InstanceId: &n.id}
	waiting, err := client.GetCommandInvocation(ctx, get)
	must(t, err)
	if waiting.Status != types.CommandInvocationStatusPending || waiting.ResponseCode != -1 || *waiting.PluginName != "aws:runShellScript" {
		t.Errorf("%+v", waiting)
	}
	n.ack(m)
	n.reply(m.MessageId, wire.Failed, map[string]wire.StepStatus{"aws:runShellScript": done("Failed", 3, "out\n",
		"failed to run commands: exit status 3")})
	got, err := client.GetCommandInvocation(ctx, get)
	must(t, err)
	if got.Status != types.CommandInvocationStatusFailed || got.ResponseCode != 3 || *got.StandardOutputContent != "out\n" ||
		*got.StandardErrorContent != "failed to run commands: exit status 3" || *got.ExecutionElapsedTime != "PT0.091S" ||
		*got.ExecutionStartDateTime != "2026-01-02T03:04:05.000Z" || *got.Comment != "why" ||
		*got.CloudWatchOutputConfig.CloudWatchLogGroupName != "g" {
		t.Errorf("%+v", got)
	}
	list, err := client.ListCommandInvocations(ctx, &ssm.ListCommandInvocationsInput{CommandId: c.CommandId, Details: true})
	must(t, err)
	inv := list.CommandInvocations[0]
	if len(inv.CommandPlugins) != 1 || *inv.CommandPlugins[0].Name != "aws:runShellScript" || inv.CommandPlugins[0].ResponseCode != 3 ||
		inv.CommandPlugins[0].Status != types.CommandPluginStatusFailed ||
		!strings.Contains(*inv.CommandPlugins[0].Output, "----------ERROR-------") {
		t.Errorf("%+v", inv)
	}
	short, err := client.ListCommandInvocations(ctx, &ssm.ListCommandInvocationsInput{CommandId: c.CommandId})
	must(t, err)
	if len(short.CommandInvocations[0].CommandPlugins) != 0 {
		t.Error("plugins without --details")
	}
	whole, err := client.ListCommands(ctx, &ssm.ListCommandsInput{CommandId: c.CommandId})
	must(t, err)
	if c := whole.Commands[0]; c.Status != types.CommandStatusFailed || c.ErrorCount != 1 || c.CompletedCount != 1 {
		t.Errorf("%+v", c)
	}
	get.PluginName = aws.String("aws:other")
	_, err = client.GetCommandInvocation(ctx, get)
	wantCode(t, err, "InvalidPluginName")
	_, err = client.GetCommandInvocation(ctx, &ssm.GetCommandInvocationInput{CommandId: aws.String(uuid.NewString()), InstanceId: &n.id})
	wantCode(t, err, "InvocationDoesNotExist")
	_, err = client.GetCommandInvocation(ctx, &ssm.GetCommandInvocationInput{CommandId: aws.String(strings.Repeat("x", 36)),
		InstanceId: &n.id})
	wantCode(t, err, "InvalidCommandId")
}

func TestSeveralStepsAreShownOneByOne(t *testing.T) {
	r := local.Start(t)
	client, ctx := people(r), context.Background()
	must(t, r.PutDocument("Two",
		"schemaVersion: '2.2'\nmainSteps:\n- {action: aws:runShellScript, name: first, inputs: {}}\n- {action: aws:runShellScript, name: second, inputs: {}}\n- {action: aws:runShellScript, name: third, inputs: {}}\n"))
	n := newNode(t, r)
	id, err := r.SendCommand("Two", n.id, nil)
	must(t, err)
	m := n.poll()[0]
	n.ack(m)
	n.reply(m.MessageId, wire.InProgress, map[string]wire.StepStatus{"first": done("Success", 0, "1\n", "")})
	inv, err := r.Invocation(id, n.id)
	must(t, err)
	if p := inv.Plugins; p[0].Status != "Success" || p[1].Status != "InProgress" || p[1].Code != -1 {
		t.Errorf("%+v", p)
	}
	n.reply(m.MessageId, wire.InProgress, map[string]wire.StepStatus{"second": done("Success", 0, "2\n", "")})
	n.reply(m.MessageId, wire.InProgress, map[string]wire.StepStatus{"third": {Status: wire.Skipped, Output: "skipped",
		Name: "aws:runShellScript"}})
	n.reply(m.MessageId, wire.Success, map[string]wire.StepStatus{})
	if inv, err = r.Invocation(id, n.id); err != nil || inv.StandardOutput != "1\n2\n" || inv.Plugins[2].Output != "skipped" {
		t.Errorf("%+v, %v", inv, err)
	}
	get := func(plugin *string) *ssm.GetCommandInvocationOutput {
		t.Helper()
		out, err := client.GetCommandInvocation(ctx, &ssm.GetCommandInvocationInput{CommandId: &id, InstanceId: &n.id, PluginName: plugin})
		must(t, err)
		return out
	}
	if all := get(nil); all.Status != types.CommandInvocationStatusSuccess || *all.PluginName != "" || *all.StandardOutputContent != "" {
		t.Errorf("%+v", all)
	}
	if one := get(aws.String("first")); *one.StandardOutputContent != "1\n" || one.ResponseCode != 0 {
		t.Errorf("%+v", one)
	}
	if two := get(aws.String("third")); two.Status != types.CommandInvocationStatusSuccess || *two.StandardOutputContent != "skipped" {
		t.Errorf("%+v", two)
	}
}

func TestTargetsAreChosenByTags(t *testing.T) {
	r := local.Start(t)
	client, ctx := people(r), context.Background()
	nodes := []*agentNode{newNode(t, r), newNode(t, r), newNode(t, r)}
	for i, n := range nodes[:2] {
		_, err := client.AddTagsToResource(ctx, &ssm.AddTagsToResourceInput{ResourceType: types.ResourceTypeForTaggingManagedInstance,
			ResourceId: &n.id,
			Tags:       []types.Tag{{Key: aws.String("stage"), Value: aws.String(fmt.Sprint(i))}}})
		must(t, err)
	}
	for _, c := range []struct {
		want    int32
		targets []types.Target
	}{
		{1, []types.Target{{Key: aws.String("tag:stage"), Values: []string{"0"}}}},
		{2, []types.Target{{Key: aws.String("tag:stage"), Values: []string{"0", "1"}}}},
		{2, []types.Target{{Key: aws.String("tag-key"), Values: []string{"stage"}}}},
		{1, []types.Target{{Key: aws.String("tag-key"), Values: []string{"stage"}},
			{Key: aws.String("InstanceIds"), Values: []string{nodes[0].id, nodes[2].id}}}},
		{0, []types.Target{{Key: aws.String("tag:stage"), Values: []string{"7"}}}},
	} {
		in := shellTo()
		in.Targets = c.targets
		out, err := client.SendCommand(ctx, in)
		must(t, err)
		if out.Command.TargetCount != c.want {
			t.Errorf("%+v: %d nodes, want %d", c.targets, out.Command.TargetCount, c.want)
		}
		if c.want == 0 && (out.Command.Status != types.CommandStatusSuccess || *out.Command.StatusDetails != "No Instances In Tag") {
			t.Errorf("no nodes: %s, %s", out.Command.Status, *out.Command.StatusDetails)
		}
	}
}

// An update's first step is for Windows: elsewhere it is skipped, and the other is the one to show. The updater's answer
// comes after the document's, and fills the short output only.
func TestAnUpdateIsAnsweredAfterItsDocumentEnded(t *testing.T) {
	r := local.Start(t)
	n := newNode(t, r)
	id, err := r.SendCommand("AWS-UpdateSSMAgent", n.id, nil)
	must(t, err)
	m := n.poll()[0]
	n.ack(m)
	n.reply(m.MessageId, wire.InProgress, map[string]wire.StepStatus{"createUpdateFolder": {Status: wire.Skipped, Output: "skipped"}})
	n.reply(m.MessageId, wire.InProgress, map[string]wire.StepStatus{"awsupdateSsmAgent": {Status: wire.InProgress,
		Name: "aws:updateSsmAgent"}})
	n.reply(m.MessageId, wire.InProgress, map[string]wire.StepStatus{})
	if s := statusOf(t, r, id, n); s != "InProgress" {
		t.Errorf("document over, update under way: %s", s)
	}
	n.reply(m.MessageId, wire.Success, map[string]wire.StepStatus{"awsupdateSsmAgent": {Status: wire.Success, Name: "aws:updateSsmAgent",
		Output: "updated"}})
	must(t, n.messages("DeleteMessage", wire.DeleteMessageInput{MessageId: m.MessageId}, nil))
	got, err := people(r).GetCommandInvocation(context.Background(), &ssm.GetCommandInvocationInput{CommandId: &id, InstanceId: &n.id})
	must(t, err)
	if got.Status != types.CommandInvocationStatusSuccess || *got.StandardOutputContent != "updated" ||
		*got.PluginName != "awsupdateSsmAgent" || got.ResponseCode != 0 {
		t.Errorf("%+v", got)
	}
}

func TestTheOneStepThatRanIsShown(t *testing.T) {
	r := local.Start(t)
	n := newNode(t, r)
	id, err := r.SendCommand("AWS-UpdateSSMAgent", n.id, nil)
	must(t, err)
	m := n.poll()[0]
	n.reply(m.MessageId, wire.Success, map[string]wire.StepStatus{"awsupdateSsmAgent": {Status: wire.Success, Name: "aws:updateSsmAgent",
		Output: "updated"}}) // the first step is for Windows, and this node says nothing of it
	got, err := people(r).GetCommandInvocation(context.Background(), &ssm.GetCommandInvocationInput{CommandId: &id, InstanceId: &n.id})
	must(t, err)
	if *got.PluginName != "awsupdateSsmAgent" || *got.StandardOutputContent != "updated" {
		t.Errorf("%+v", got)
	}
}

func TestASuppliedParameterIsNeverReplacedByItsDefault(t *testing.T) {
	r := local.Start(t)
	n := newNode(t, r)
	for _, name := range []string{"my_name", "my-name", "my.name"} {
		must(t, r.PutDocument("Named", "schemaVersion: '2.2'\nparameters:\n  "+name+": {type: String, default: d}\n"+
			"mainSteps:\n- {action: aws:runShellScript, name: one, inputs: {runCommand: ['echo {{ "+name+" }}']}}\n"))
		_, err := people(r).SendCommand(context.Background(), &ssm.SendCommandInput{DocumentName: aws.String("Named"),
			InstanceIds: []string{n.id},
			Parameters:  map[string][]string{name: {"given"}}})
		wantCode(t, err, "InvalidParameters")
	}
	if _, err := r.SendCommand("Named", n.id, nil); err != nil {
		t.Errorf("with the default: %v", err)
	}
}

func TestOutputIsCutAfterCharacters(t *testing.T) {
	r := local.Start(t)
	n := newNode(t, r)
	id := sendShell(t, r, n, "cat")
	m := n.poll()[0]
	n.reply(m.MessageId, wire.Success, map[string]wire.StepStatus{"aws:runShellScript": done("Success", 0, strings.Repeat("ä", 24001),
		strings.Repeat("日", 8001))})
	got, err := people(r).GetCommandInvocation(context.Background(), &ssm.GetCommandInvocationInput{CommandId: &id, InstanceId: &n.id})
	must(t, err)
	if *got.StandardOutputContent != strings.Repeat("ä", 24000) || *got.StandardErrorContent != strings.Repeat("日", 8000) {
		t.Errorf("%d and %d bytes", len(*got.StandardOutputContent), len(*got.StandardErrorContent))
	}
}

// MaxConcurrency lets one node begin when another ends; more errors than MaxErrors end the rest.
func TestMaxConcurrencyAndMaxErrorsAreKept(t *testing.T) {
	r := local.Start(t)
	client, ctx := people(r), context.Background()
	r.HoldPolls(time.Millisecond)
	nodes := []*agentNode{newNode(t, r), newNode(t, r), newNode(t, r), newNode(t, r)}
	in := shellTo(nodes...)
	in.MaxConcurrency, in.MaxErrors = aws.String("25%"), aws.String("1")
	sent, err := client.SendCommand(ctx, in)
	must(t, err)
	answer := func(n *agentNode, status string) {
		t.Helper()
		got := n.poll()
		if len(got) != 1 {
			t.Fatalf("%d messages", len(got))
		}
		n.reply(got[0].MessageId, status, nil)
	}
	if early := nodes[1].poll(); len(early) != 0 {
		t.Error("the second node began with the first")
	}
	answer(nodes[0], wire.Failed)
	answer(nodes[1], wire.TimedOut)
	if late := nodes[2].poll(); len(late) != 0 {
		t.Error("the third node began after two errors")
	}
	list, err := client.ListCommands(ctx, &ssm.ListCommandsInput{CommandId: sent.Command.CommandId})
	must(t, err)
	c := list.Commands[0]
	if c.Status != types.CommandStatusFailed || c.ErrorCount != 2 || c.CompletedCount != 4 || c.TargetCount != 4 {
		t.Errorf("%+v", c)
	}
	var details []string
	for _, n := range nodes {
		inv, err := r.Invocation(*c.CommandId, n.id)
		must(t, err)
		details = append(details, inv.StatusDetails)
	}
	if fmt.Sprint(details) != "[Failed Execution Timed Out Terminated Terminated]" {
		t.Errorf("%q", details)
	}
}

func TestAMessageThatIsNotFetchedTimesOut(t *testing.T) {
	r := local.Start(t)
	client, ctx := people(r), context.Background()
	r.HoldPolls(time.Millisecond)
	n := newNode(t, r)
	in := shellTo(n)
	in.TimeoutSeconds = aws.Int32(600)
	sent, err := client.SendCommand(ctx, in)
	must(t, err)
	id := *sent.Command.CommandId
	r.Advance(7 * time.Minute)
	if s := statusOf(t, r, id, n); s != "Delayed" {
		t.Errorf("out of reach: %s", s)
	}
	r.Advance(4 * time.Minute)
	inv, err := r.Invocation(id, n.id)
	must(t, err)
	if inv.Status != "TimedOut" || inv.StatusDetails != "Delivery Timed Out" {
		t.Errorf("%+v", inv)
	}
	if late := n.poll(); len(late) != 0 {
		t.Errorf("delivered after its time: %v", late)
	}
	list, err := client.ListCommands(ctx, &ssm.ListCommandsInput{})
	must(t, err)
	if c := list.Commands[0]; c.Status != types.CommandStatusTimedOut || c.DeliveryTimedOutCount != 1 || c.ErrorCount != 0 {
		t.Errorf("%+v", c)
	}
}

// What was delivered and never answered ends when the command expires, not before.
func TestAnUnansweredCommandExpires(t *testing.T) {
	r := local.Start(t)
	n := newNode(t, r)
	id := sendShell(t, r, n, "sleep")
	n.ack(n.poll()[0])
	r.Advance(90 * time.Minute)
	if s := statusOf(t, r, id, n); s != "InProgress" {
		t.Errorf("after 90 minutes: %s", s)
	}
	r.Advance(31 * time.Minute)
	if s := statusOf(t, r, id, n); s != "TimedOut" {
		t.Errorf("after two hours: %s", s)
	}
}

func TestACancelReachesNodesThatHaveTheCommand(t *testing.T) {
	r := local.Start(t)
	client, ctx := people(r), context.Background()
	r.HoldPolls(time.Millisecond)
	n := newNode(t, r)
	// Never given out: it ends at once, and is never given out.
	unread := sendShell(t, r, n, "echo")
	_, err := client.CancelCommand(ctx, &ssm.CancelCommandInput{CommandId: &unread, InstanceIds: []string{n.id}})
	must(t, err)
	if s := statusOf(t, r, unread, n); s != "Cancelled" || len(n.poll()) != 0 {
		t.Errorf("unread: %s", s)
	}
	// Running: the node is told, and what it answers is the end.
	running := sendShell(t, r, n, "sleep")
	m := n.poll()[0]
	n.ack(m)
	_, err = client.CancelCommand(ctx, &ssm.CancelCommandInput{CommandId: &running})
	must(t, err)
	if s := statusOf(t, r, running, n); s != "Cancelling" {
		t.Errorf("told to stop: %s", s)
	}
	got := n.poll()
	if len(got) != 1 || got[0].Topic != "aws.ssm.cancelCommand" || got[0].Payload != `{"CancelMessageId":"`+m.MessageId+`"}` ||
		got[0].MessageId != r.Cancels(running, n.id)[0] {
		t.Fatalf("%+v", got)
	}
	n.reply(got[0].MessageId, wire.InProgress, nil)
	n.ack(got[0])
	n.reply(m.MessageId, wire.InProgress, nil)
	if s := statusOf(t, r, running, n); s != "Cancelling" {
		t.Errorf("late InProgress: %s", s)
	}
	n.reply(m.MessageId, wire.Cancelled, map[string]wire.StepStatus{"aws:runShellScript": done("Cancelled", 137, "", "")})
	if s := statusOf(t, r, running, n); s != "Cancelled" {
		t.Errorf("stopped: %s", s)
	}
	// Over: nothing happens.
	must(t, r.Cancel(running))
	if len(n.poll()) != 0 {
		t.Error("a finished command was cancelled")
	}
	_, err = client.CancelCommand(ctx, &ssm.CancelCommandInput{CommandId: aws.String(uuid.NewString())})
	wantCode(t, err, "InvalidCommandId")
	_, err = client.CancelCommand(ctx, &ssm.CancelCommandInput{CommandId: &running, InstanceIds: []string{"mi-00000000000000000"}})
	wantCode(t, err, "InvalidInstanceId")
}

func TestCommandsAreListedByFilters(t *testing.T) {
	r := local.Start(t)
	client, ctx := people(r), context.Background()
	a, b := newNode(t, r), newNode(t, r)
	var ids []string
	for i := range 5 {
		n := a
		if i == 4 {
			n = b
		}
		ids = append(ids, sendShell(t, r, n, "echo"))
		r.Advance(time.Second)
	}
	var seen []string
	for pages := ssm.NewListCommandsPaginator(client, &ssm.ListCommandsInput{MaxResults: aws.Int32(2)}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		must(t, err)
		for _, c := range page.Commands {
			seen = append(seen, *c.CommandId)
		}
	}
	if len(seen) != 5 || seen[0] != ids[4] || seen[4] != ids[0] {
		t.Errorf("%v, want %v backwards", seen, ids)
	}
	filter := func(key types.CommandFilterKey, value string) int {
		t.Helper()
		out, err := client.ListCommands(ctx, &ssm.ListCommandsInput{Filters: []types.CommandFilter{{Key: key, Value: &value}}})
		must(t, err)
		return len(out.Commands)
	}
	m := b.poll()[0]
	b.reply(m.MessageId, wire.Success, nil)
	if n := filter(types.CommandFilterKeyStatus, "Success"); n != 1 {
		t.Errorf("%d by status", n)
	}
	if n := filter(types.CommandFilterKeyExecutionStage, "Executing"); n != 4 {
		t.Errorf("%d by stage", n)
	}
	if n := filter(types.CommandFilterKeyInvokedAfter, time.Now().Add(-time.Hour).Format(time.RFC3339)); n != 5 {
		t.Errorf("%d by time", n)
	}
	if n := filter(types.CommandFilterKeyDocumentName, "Other"); n != 0 {
		t.Errorf("%d by document", n)
	}
	of, err := client.ListCommandInvocations(ctx, &ssm.ListCommandInvocationsInput{InstanceId: &b.id})
	must(t, err)
	if len(of.CommandInvocations) != 1 {
		t.Errorf("%d by node", len(of.CommandInvocations))
	}
	_, err = client.ListCommands(ctx, &ssm.ListCommandsInput{CommandId: aws.String(strings.Repeat("x", 36))})
	wantCode(t, err, "InvalidCommandId")
}

func TestADeregisteredNodeGetsNothing(t *testing.T) {
	r := local.Start(t)
	n := newNode(t, r)
	id := sendShell(t, r, n, "echo")
	must(t, r.Deregister(n.id))
	err := n.messages("GetMessages", wire.GetMessagesInput{Destination: n.id, MessagesRequestId: uuid.NewString()}, nil)
	wantCode(t, err, "InvalidDestinationException")
	if _, err := r.SendCommand("AWS-RunShellScript", n.id, shell("echo")); err == nil {
		t.Error("a command was sent to a deregistered node")
	}
	if s := statusOf(t, r, id, n); s == "" {
		t.Error("its command is forgotten")
	}
}
