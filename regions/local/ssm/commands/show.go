package commands

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/ssm/nodes"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// commandShown is the SDK's type Command.
type commandShown struct {
	CommandId              string
	DocumentName           string
	DocumentVersion        string
	Comment                string
	ExpiresAfter           wire.Epoch
	Parameters             map[string][]string
	InstanceIds            []string
	Targets                []target
	RequestedDateTime      wire.Epoch
	Status                 string
	StatusDetails          string
	OutputS3Region         string
	OutputS3BucketName     string
	OutputS3KeyPrefix      string
	MaxConcurrency         string
	MaxErrors              string
	TargetCount            int
	CompletedCount         int
	ErrorCount             int
	DeliveryTimedOutCount  int
	ServiceRole            string
	NotificationConfig     json.RawMessage `json:",omitempty"`
	CloudWatchOutputConfig cloudWatchOutput
	TimeoutSeconds         int
	AlarmConfiguration     json.RawMessage `json:",omitempty"`
	TriggeredAlarms        []struct{}
}

func (c command) shown() commandShown {
	n := c.counts()
	s := commandShown{
		CommandId: c.ID, DocumentName: c.Document, DocumentVersion: c.DocumentVersion, Comment: c.Comment,
		ExpiresAfter: wire.Epoch{Time: c.Expires}, Parameters: c.Parameters, InstanceIds: c.InstanceIDs, Targets: c.Targets,
		RequestedDateTime: wire.Epoch{Time: c.Requested}, OutputS3Region: c.OutputS3Region,
		OutputS3BucketName: c.Payload.OutputS3BucketName, OutputS3KeyPrefix: c.Payload.OutputS3KeyPrefix,
		MaxConcurrency: c.MaxConcurrency, MaxErrors: c.MaxErrors, TargetCount: n.targets, CompletedCount: n.completed,
		ErrorCount: n.errors, DeliveryTimedOutCount: n.undelivered, ServiceRole: c.ServiceRole, NotificationConfig: c.Notification,
		CloudWatchOutputConfig: c.CloudWatch, TimeoutSeconds: c.Timeout, AlarmConfiguration: c.Alarm, TriggeredAlarms: []struct{}{},
	}
	s.Status, s.StatusDetails = c.status()
	if s.Parameters == nil {
		s.Parameters = map[string][]string{}
	}
	if s.InstanceIds == nil {
		s.InstanceIds = []string{}
	}
	if s.Targets == nil {
		s.Targets = []target{}
	}
	return s
}

// invocationShown is the SDK's type CommandInvocation.
type invocationShown struct {
	CommandId              string
	InstanceId             string
	InstanceName           string
	Comment                string
	DocumentName           string
	DocumentVersion        string
	RequestedDateTime      wire.Epoch
	Status                 string
	StatusDetails          string
	TraceOutput            string `json:",omitempty"`
	StandardOutputUrl      string
	StandardErrorUrl       string
	CommandPlugins         []pluginShown
	ServiceRole            string
	NotificationConfig     json.RawMessage `json:",omitempty"`
	CloudWatchOutputConfig cloudWatchOutput

	kept kept // of the only step
}

// pluginShown is the SDK's type CommandPlugin.
type pluginShown struct {
	Name                   string
	Status                 string
	StatusDetails          string
	ResponseCode           int         // -1 until there is an answer
	ResponseStartDateTime  *wire.Epoch `json:",omitempty"`
	ResponseFinishDateTime *wire.Epoch `json:",omitempty"`
	Output                 string
	StandardOutputUrl      string
	StandardErrorUrl       string
	OutputS3Region         string
	OutputS3BucketName     string
	OutputS3KeyPrefix      string

	kept kept
}

func (c command) shownAt(n nodes.Node, inv invocation, details bool, now time.Time) invocationShown {
	s := c.standingOf(n, now)
	out := invocationShown{
		CommandId: c.ID, InstanceId: inv.Instance, InstanceName: n.Name, Comment: c.Comment, DocumentName: c.Document,
		DocumentVersion: c.DocumentVersion, RequestedDateTime: wire.Epoch{Time: c.Requested}, Status: s.Status, StatusDetails: s.Details,
		TraceOutput: clip(inv.Trace, 2500), CommandPlugins: []pluginShown{}, ServiceRole: c.ServiceRole,
		NotificationConfig: c.Notification, CloudWatchOutputConfig: c.CloudWatch,
	}
	if len(inv.Steps) == 1 {
		out.kept = keptOf(inv.Steps[0])
	}
	if details {
		for _, st := range inv.Steps {
			out.CommandPlugins = append(out.CommandPlugins, c.pluginOf(st, s))
		}
	}
	return out
}

// standingOf is where a node stands; a message that waits for a node out of reach is Delayed.
func (c command) standingOf(n nodes.Node, now time.Time) standing {
	s := c.Standing[n.ID]
	if s.Status == pending && s.Sent && n.PingStatus(now) == "ConnectionLost" {
		s.Status, s.Details = delayed, delayed
	}
	return s
}

func (c command) pluginOf(st step, s standing) pluginShown {
	status, details := stepStatus(st, s)
	p := pluginShown{Name: st.ID, Status: status, StatusDetails: details, ResponseCode: -1, Output: clip(st.Output, 2500)}
	if !st.Answered || st.OutputS3BucketName != "" { // an answer without a bucket: nothing was kept in one
		p.OutputS3Region, p.OutputS3BucketName, p.OutputS3KeyPrefix = c.OutputS3Region, c.Payload.OutputS3BucketName, st.OutputS3KeyPrefix
	}
	p.kept = keptOf(st)
	if st.Answered && status != wire.InProgress {
		p.ResponseCode = st.Code
	}
	p.ResponseStartDateTime, p.ResponseFinishDateTime = epochOf(st.StartDateTime), epochOf(st.EndDateTime)
	return p
}

// stepStatus puts what a node says of a step into the words of plugins, which know no skipped steps. A step without an
// answer shares the end of its command.
func stepStatus(st step, s standing) (status, details string) {
	switch {
	case !st.Answered && s.final() && s.Status != wire.Success:
		return s.Status, s.Details
	case !st.Answered && s.Status == cancelling:
		return wire.InProgress, wire.InProgress
	case !st.Answered && s.Status == wire.Success:
		return wire.Success, wire.Success
	case !st.Answered:
		return s.Status, s.Details
	}
	switch st.Status {
	case wire.Success, wire.Skipped:
		return wire.Success, wire.Success
	case wire.TimedOut:
		return wire.TimedOut, executionTimedOut
	case wire.Failed, wire.Cancelled:
		return st.Status, st.Status
	default:
		return wire.InProgress, wire.InProgress
	}
}

func epochOf(iso string) *wire.Epoch {
	t, err := wire.ParseISOMillis(iso)
	if err != nil {
		return nil
	}
	return &wire.Epoch{Time: t}
}

// clip cuts s to n characters.
func clip(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// elapsed is a span as ISO 8601 text: PT0.091S, PT1M2S.
func elapsed(d time.Duration) string {
	seconds := strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.3f", (d%time.Minute).Seconds()), "0"), ".") + "S"
	if d < time.Minute {
		return "PT" + seconds
	}
	if d < time.Hour {
		return fmt.Sprintf("PT%dM%s", int(d.Minutes()), seconds)
	}
	return fmt.Sprintf("PT%dH%dM%s", int(d.Hours()), int(d.Minutes())%60, seconds)
}
