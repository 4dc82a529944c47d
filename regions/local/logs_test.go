package local_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

type fields = map[string]any

// logs calls CloudWatch Logs as the node.
func (n *agentNode) logs(operation string, in, out any) error {
	return n.send("Logs_20140328."+operation, in, out, n.sigV4("logs"))
}

// reader calls CloudWatch Logs as the administrator.
type reader struct {
	testing.TB
	asAdmin *agentNode
}

func newReader(t testing.TB, r *local.Region) reader {
	admin := r.Admin()
	return reader{t, &agentNode{t: t, region: r, token: wire.RequestManagedInstanceRoleTokenOutput{AccessKeyId: admin.AccessKeyID,
		SecretAccessKey: admin.SecretAccessKey}}}
}

func (l reader) call(operation string, in fields) fields {
	l.Helper()
	out := fields{}
	must(l, l.asAdmin.logs(operation, in, &out))
	return out
}

func (l reader) refused(code, operation string, in fields) {
	l.Helper()
	wantCode(l, l.asAdmin.logs(operation, in, nil), code)
}

// messages are those of an answer, joined.
func messages(out fields) string {
	var all []string
	events, _ := out["events"].([]any)
	for _, e := range events {
		event, _ := e.(fields)
		all = append(all, fmt.Sprint(event["message"]))
	}
	return strings.Join(all, " ")
}

func event(at time.Time, text string) fields {
	return fields{"timestamp": at.UnixMilli(), "message": text}
}

func batch(group, stream string, events ...fields) fields {
	return fields{"logGroupName": group, "logStreamName": stream, "logEvents": events}
}

func TestANodeWritesEventsAndTheAdministratorReadsThemInTheOrderOfTheirTime(t *testing.T) {
	r := local.Start(t)
	n, l, now := newNode(t, r), newReader(t, r), time.Now()
	must(t, n.logs("CreateLogGroup", fields{"logGroupName": "/app"}, nil))
	wantCode(t, n.logs("CreateLogGroup", fields{"logGroupName": "/app"}, nil), "ResourceAlreadyExistsException")
	for _, name := range []string{"a/stdout", "b/stdout"} {
		must(t, n.logs("CreateLogStream", fields{"logGroupName": "/app", "logStreamName": name}, nil))
	}
	must(t, n.logs("PutLogEvents", batch("/app", "a/stdout", event(now, "one"), event(now.Add(2*time.Second), "three ERROR")), nil))
	must(t, n.logs("PutLogEvents", batch("/app", "b/stdout", event(now.Add(time.Second), "two")), nil))
	for _, c := range []struct {
		in   fields
		want string
	}{
		{fields{}, "one two three ERROR"},
		{fields{"filterPattern": "ERROR"}, "three ERROR"},
		{fields{"filterPattern": "-ERROR -two"}, "one"},
		{fields{"filterPattern": "?one ?two"}, "one two"},
		{fields{"filterPattern": `"three ERR"`}, "three ERROR"},
		{fields{"filterPattern": "%^t.o$%"}, "two"},
		{fields{"logStreamNames": []string{"b/stdout"}}, "two"},
		{fields{"logStreamNamePrefix": "a/"}, "one three ERROR"},
		{fields{"startTime": now.Add(time.Second).UnixMilli()}, "two three ERROR"},
		{fields{"endTime": now.Add(time.Second).UnixMilli()}, "one"},
	} {
		c.in["logGroupName"] = "/app"
		if got := messages(l.call("FilterLogEvents", c.in)); got != c.want {
			t.Errorf("%v: %q", c.in, got)
		}
	}
	var paged []string
	for next := any(nil); ; {
		in := fields{"logGroupName": "/app", "limit": 1}
		if next != nil {
			in["nextToken"] = next
		}
		out := l.call("FilterLogEvents", in)
		paged = append(paged, messages(out))
		if next = out["nextToken"]; next == nil {
			break
		}
	}
	if got := strings.Join(paged, "|"); got != "one|two|three ERROR" {
		t.Errorf("pages %q", got)
	}
	wantCode(t, n.logs("FilterLogEvents", fields{"logGroupName": "/app"}, nil), "AccessDeniedException")
	other := newNode(t, r)
	wantCode(t, other.logs("PutLogEvents", batch("/app", "a/stdout", event(now, "forged")), nil), "AccessDeniedException")
	l.refused("InvalidParameterException", "FilterLogEvents", fields{"logGroupName": "/app", "filterPattern": "{ $.x = 1 }"})
	l.refused("ResourceNotFoundException", "FilterLogEvents", fields{"logGroupName": "/none"})
}

func TestEventsOfAStreamArePagedForwardsAndBackwards(t *testing.T) {
	r := local.Start(t)
	l, now := newReader(t, r), time.Now()
	l.call("CreateLogGroup", fields{"logGroupName": "g"})
	l.call("CreateLogStream", fields{"logGroupName": "g", "logStreamName": "s"})
	var events []fields
	for i := range 5 {
		events = append(events, event(now, fmt.Sprint(i))) // of one moment: the order of arrival counts
	}
	l.call("PutLogEvents", batch("g", "s", events...))
	get := func(more fields) fields {
		in := fields{"logGroupName": "g", "logStreamName": "s", "limit": 2}
		for k, v := range more {
			in[k] = v
		}
		return l.call("GetLogEvents", in)
	}
	head := get(fields{"startFromHead": true})
	middle := get(fields{"nextToken": head["nextForwardToken"]})
	end := get(fields{"nextToken": middle["nextForwardToken"]})
	over := get(fields{"nextToken": end["nextForwardToken"]})
	if got := []string{messages(head), messages(middle), messages(end), messages(over)}; strings.Join(got, "|") != "0 1|2 3|4|" {
		t.Errorf("forwards %q", got)
	}
	if over["nextForwardToken"] != end["nextForwardToken"] {
		t.Error("the end has another token each time")
	}
	tail := get(nil)
	if got := messages(tail) + "|" + messages(get(fields{"nextToken": tail["nextBackwardToken"]})); got != "3 4|1 2" {
		t.Errorf("backwards %q", got)
	}
}

func TestEventsBeyondTheServicesLimitsAreRefusedOrSaidToBeKeptNowhere(t *testing.T) {
	r := local.Start(t)
	l, now := newReader(t, r), time.Now()
	l.call("CreateLogGroup", fields{"logGroupName": "g"})
	l.call("CreateLogStream", fields{"logGroupName": "g", "logStreamName": "s"})
	long := strings.Repeat("x", 262144-26)
	l.call("PutLogEvents", batch("g", "s", event(now, long)))
	for name, in := range map[string]fields{
		"an event":  batch("g", "s", event(now, long+"x")),
		"a batch":   batch("g", "s", event(now, long), event(now, long), event(now, long), event(now, long), event(now, "x")),
		"the order": batch("g", "s", event(now, "a"), event(now.Add(-time.Second), "b")),
		"a day":     batch("g", "s", event(now.Add(-25*time.Hour), "a"), event(now, "b")),
		"no event":  batch("g", "s"),
		"no text":   batch("g", "s", event(now, "")),
		"a group":   batch("a b", "s", event(now, "a")),
		"a stream":  batch("g", "a:b", event(now, "a")),
	} {
		t.Run(name, func(t *testing.T) { newReader(t, r).refused("InvalidParameterException", "PutLogEvents", in) })
	}
	l.refused("ResourceNotFoundException", "PutLogEvents", batch("g", "none", event(now, "a")))
	out := l.call("PutLogEvents", batch("g", "s", event(now.Add(-15*24*time.Hour), "old")))
	if got := fmt.Sprint(out["rejectedLogEventsInfo"]); got != "map[tooOldLogEventEndIndex:1]" {
		t.Error(got)
	}
	out = l.call("PutLogEvents", batch("g", "s", event(now, "in time"), event(now.Add(3*time.Hour), "early")))
	if got := fmt.Sprint(out["rejectedLogEventsInfo"]); got != "map[tooNewLogEventStartIndex:1]" {
		t.Error(got)
	}
}

func TestAGroupKeepsWhatItsRetentionSaysAndNeverMoreThanItsRoom(t *testing.T) {
	r := local.Start(t)
	l, now := newReader(t, r), time.Now()
	l.call("CreateLogGroup", fields{"logGroupName": "g", "tags": fields{"k": "v"}})
	l.refused("InvalidParameterException", "PutRetentionPolicy", fields{"logGroupName": "g", "retentionInDays": 2})
	l.call("PutRetentionPolicy", fields{"logGroupName": "g", "retentionInDays": 3})
	l.call("CreateLogStream", fields{"logGroupName": "g", "logStreamName": "s"})
	l.call("PutLogEvents", batch("g", "s", event(now.Add(-2*24*time.Hour), "two days")))
	l.call("PutLogEvents", batch("g", "s", event(now, "now")))
	groups := fmt.Sprint(l.call("DescribeLogGroups", fields{"logGroupNamePrefix": "g"})["logGroups"])
	if !strings.Contains(groups, "retentionInDays:3") || !strings.Contains(groups, "arn:aws:logs:local:123456789012:log-group:g:*") {
		t.Error(groups)
	}
	tags := l.call("ListTagsForResource", fields{"resourceArn": "arn:aws:logs:local:123456789012:log-group:g"})
	if got := fmt.Sprint(tags); got != "map[tags:map[k:v]]" {
		t.Error(got)
	}
	r.Advance(36 * time.Hour)
	if got := messages(l.call("FilterLogEvents", fields{"logGroupName": "g"})); got != "now" {
		t.Errorf("after three days and a half: %q", got)
	}
	l.call("DeleteRetentionPolicy", fields{"logGroupName": "g"})

	// 68 MB in four streams: the oldest goes.
	text := strings.Repeat("x", 250000)
	at := now.Add(36 * time.Hour)
	for _, name := range []string{"1", "2", "3", "4"} {
		l.call("CreateLogStream", fields{"logGroupName": "g", "logStreamName": name})
		for range 17 {
			at = at.Add(time.Second)
			l.call("PutLogEvents", batch("g", name, event(at, text), event(at, text), event(at, text), event(at, text)))
		}
	}
	var names []string
	described := l.call("DescribeLogStreams", fields{"logGroupName": "g", "orderBy": "LastEventTime", "descending": true})
	for _, s := range described["logStreams"].([]any) {
		names = append(names, fmt.Sprint(s.(fields)["logStreamName"]))
	}
	if got := strings.Join(names, " "); got != "4 3 2" {
		t.Errorf("streams left: %s", got)
	}
	l.call("DeleteLogStream", fields{"logGroupName": "g", "logStreamName": "4"})
	l.refused("ResourceNotFoundException", "GetLogEvents", fields{"logGroupName": "g", "logStreamName": "4"})
	l.call("DeleteLogGroup", fields{"logGroupName": "g"})
	l.refused("ResourceNotFoundException", "DeleteLogGroup", fields{"logGroupName": "g"})
	if got := fmt.Sprint(l.call("DescribeLogGroups", nil)); got != "map[logGroups:[]]" {
		t.Error(got)
	}
}
