package wire_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

func TestACommandIDIsReadFromItsMessageID(t *testing.T) {
	const cmd = "2b196342-d7d4-436e-8f09-3883a1116ac3"
	for in, want := range map[string]string{
		wire.MessageID(cmd, "i-0123456789abcdef0"): cmd,
		"aws.ssm." + cmd + ".":                     cmd,
		"aws.ssm." + cmd:                           "aws.ssm." + cmd,
		"aws.ssm..i-0":                             "aws.ssm..i-0",
		"something else":                           "something else",
	} {
		if got := wire.CommandID(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// The three replies of docs/protocol/runcommand.md, "Reply payload", byte for byte.
func TestRepliesAreByteForByteThoseOfTheProtocol(t *testing.T) {
	yes := true
	at := time.Date(2024, 1, 2, 3, 4, 5, 678e6, time.UTC)
	reply := wire.Reply{
		AdditionalInfo: wire.AdditionalInfo{
			Agent:    wire.AgentInfo{Lang: "en-US", Name: "amazon-ssm-agent", OS: "linux", OSVersion: "1", Version: "3.3.0.0"},
			DateTime: wire.ISOMillis(at), AbleToOpenMGSConnection: &yes},
		DocumentStatus: wire.InProgress,
	}
	const head = `{"additionalInfo":{"agent":{"lang":"en-US","name":"amazon-ssm-agent","os":"linux","osver":"1","ver":"3.3.0.0"},` +
		`"dateTime":"2024-01-02T03:04:05.678Z","runId":"",`
	check(t, reply, head+`"runtimeStatusCounts":null,"ableToOpenMGSConnection":true},`+
		`"documentStatus":"InProgress","documentTraceOutput":"","runtimeStatus":null}`)

	reply.AdditionalInfo.RuntimeStatusCounts = map[string]int{"Success": 1}
	reply.RuntimeStatus = map[string]wire.StepStatus{"runIt": {Status: "Success", Name: "aws:runShellScript", Output: "a<b>&c\n",
		StartDateTime: "2024-01-02T03:04:05.700Z", EndDateTime: "2024-01-02T03:04:06.000Z", StandardOutput: "a<b>&c\n"}}
	check(t, reply, head+`"runtimeStatusCounts":{"Success":1},"ableToOpenMGSConnection":true},`+
		`"documentStatus":"InProgress","documentTraceOutput":"","runtimeStatus":{"runIt":{"status":"Success","code":0,`+
		`"name":"aws:runShellScript","output":"a\u003cb\u003e\u0026c\n","startDateTime":"2024-01-02T03:04:05.700Z",`+
		`"endDateTime":"2024-01-02T03:04:06.000Z","outputS3BucketName":"","outputS3KeyPrefix":"","stepName":"",`+
		`"standardOutput":"a\u003cb\u003e\u0026c\n","standardError":""}}}`)

	reply.AdditionalInfo.AbleToOpenMGSConnection = nil // not sent over ssmmessages
	reply.RuntimeStatus = map[string]wire.StepStatus{}
	check(t, reply, head+`"runtimeStatusCounts":{"Success":1}},"documentStatus":"InProgress","documentTraceOutput":"","runtimeStatus":{}}`)
}

// The request bodies of docs/protocol/runcommand.md, "Operations of ec2messages", "UpdateInstanceInformation".
func TestRequestsAreByteForByteThoseOfTheProtocol(t *testing.T) {
	check(t, wire.GetMessagesInput{Destination: "i-0123456789abcdef0", MessagesRequestId: "277e1ba2-f6f5-4ece-990a-88f62e4de765",
		VisibilityTimeoutInSeconds: 10},
		`{"Destination":"i-0123456789abcdef0","MessagesRequestId":"277e1ba2-f6f5-4ece-990a-88f62e4de765","VisibilityTimeoutInSeconds":10}`)
	check(t, wire.FailMessageInput{FailureType: wire.InternalHandlerException, MessageId: "aws.ssm.x.i-0"},
		`{"FailureType":"InternalHandlerException","MessageId":"aws.ssm.x.i-0"}`)
	check(t, wire.SendReplyInput{MessageId: "m", Payload: "{}", ReplyId: "r"}, `{"MessageId":"m","Payload":"{}","ReplyId":"r"}`)
	check(t, wire.UpdateInstanceInformationInput{AgentName: "amazon-ssm-agent", AgentVersion: "3.3.0.0", InstanceId: "i-0123456789abcdef0",
		PlatformType: "Linux"},
		`{"AgentName":"amazon-ssm-agent","AgentVersion":"3.3.0.0","InstanceId":"i-0123456789abcdef0","PlatformType":"Linux"}`)
	empty, channel := "", "ssmmessages"
	check(t, wire.UpdateInstanceInformationInput{AgentName: "amazon-ssm-agent", AgentStatus: "Active", AgentVersion: "3.3.0.0",
		AvailabilityZone: &empty, AvailabilityZoneId: &empty, ComputerName: "h", IPAddress: "10.0.0.1", InstanceId: "mi-0a1b2c3d4e5f60718",
		PlatformName: "Amazon Linux", PlatformType: "Linux", PlatformVersion: "2023", SSMConnectionChannel: &channel},
		`{"AgentName":"amazon-ssm-agent","AgentStatus":"Active","AgentVersion":"3.3.0.0","AvailabilityZone":"","AvailabilityZoneId":"",`+
			`"ComputerName":"h","IPAddress":"10.0.0.1","InstanceId":"mi-0a1b2c3d4e5f60718","PlatformName":"Amazon Linux",`+
			`"PlatformType":"Linux","PlatformVersion":"2023","SSMConnectionChannel":"ssmmessages"}`)
}

func check(t *testing.T, v any, want string) {
	t.Helper()
	got, err := json.Marshal(v)
	if err != nil || string(got) != want {
		t.Errorf("%v\n got %s\nwant %s", err, got, want)
	}
}

func TestTimesAreSecondsWithAFraction(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 250e6, time.UTC)
	b, err := json.Marshal(wire.Epoch{Time: at})
	if err != nil || string(b) != "1772600767.25" {
		t.Errorf("%s, %v", b, err)
	}
	for _, in := range []string{"1772600767.25", `"2026-03-04T05:06:07.25Z"`, "1.77260076725e9"} {
		var e wire.Epoch
		if err := json.Unmarshal([]byte(in), &e); err != nil || !e.Equal(at) {
			t.Errorf("%s: %v, %v", in, e, err)
		}
	}
}

func TestErrorBodiesAreReadInEveryForm(t *testing.T) {
	b, _ := json.Marshal(wire.Error{Code: "InvalidInstanceId", Message: "no such node"})
	if string(b) != `{"__type":"InvalidInstanceId","message":"no such node"}` {
		t.Errorf("%s", b)
	}
	for in, want := range map[string]wire.Error{
		`{"__type":"com.amazonaws.ssm#InvalidInstanceId","Message":"m"}`: {Code: "InvalidInstanceId", Message: "m"},
		`{"__type":"Throttling:http://x/","message":"m"}`:                {Code: "Throttling", Message: "m"},
		`{"code":"AccessDenied"}`:                                        {Code: "AccessDenied"},
	} {
		if got, ok := wire.ParseError([]byte(in)); !ok || got != want {
			t.Errorf("%s: %+v, %v", in, got, ok)
		}
	}
	for _, in := range []string{"", "<html>", "{}"} {
		if _, ok := wire.ParseError([]byte(in)); ok {
			t.Errorf("%q is taken for an error body", in)
		}
	}
}
