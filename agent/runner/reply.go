package runner

import (
	"time"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Head starts a reply: who speaks and when. The lane that carries it adds what it has to say of itself.
func Head(agent wire.AgentInfo, now time.Time) wire.AdditionalInfo {
	return wire.AdditionalInfo{Agent: agent, DateTime: wire.ISOMillis(now)}
}

// EventReply is the reply to an event of kind Step or Done (docs/protocol/runcommand.md, "Reply payload").
func EventReply(head wire.AdditionalInfo, e Event) wire.Reply {
	head.RuntimeStatusCounts = e.Counts
	reply := wire.Reply{AdditionalInfo: head, DocumentStatus: wire.InProgress, RuntimeStatus: map[string]wire.StepStatus{}}
	if e.Kind == Done {
		reply.DocumentStatus = e.Status
	}
	if e.Result != nil {
		reply.RuntimeStatus[e.Result.PluginID] = e.Result.Wire()
	}
	return reply
}

// Wire is the result as an entry of runtimeStatus. A Failed step never shows code 0.
func (r Result) Wire() wire.StepStatus {
	s := wire.StepStatus{
		Status: r.Status, Code: r.Code, Name: r.PluginName, Output: r.Output,
		StartDateTime: wire.ISOMillis(r.Start), EndDateTime: wire.ISOMillis(r.End),
		OutputS3BucketName: r.Bucket, OutputS3KeyPrefix: r.Prefix, StepName: r.Step,
		StandardOutput: r.StandardOutput, StandardError: r.StandardError,
	}
	if r.Error != "" {
		s.Output = r.Error
	}
	if s.Status == wire.Failed && s.Code == 0 {
		s.Code = 1
	}
	return s
}
