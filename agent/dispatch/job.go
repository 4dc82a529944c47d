package dispatch

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/agent/document"
	"github.com/ssm-setup/ssm-setup/agent/journal"
	"github.com/ssm-setup/ssm-setup/agent/mailbox"
	"github.com/ssm-setup/ssm-setup/agent/output"
	"github.com/ssm-setup/ssm-setup/agent/plugins"
	"github.com/ssm-setup/ssm-setup/agent/runner"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// converter turns messages into jobs, and jobs into what a worker gets.
type converter struct {
	journal *journal.Journal
	config  config.Config
	machine plugins.Machine
	resolve document.Resolver
	now     func() time.Time
}

// runStamp is how a run id spells its time (docs/protocol/runcommand.md, "Conventions").
const runStamp = "2006-01-02T15-04-05.000Z"

// parse reads the message of a command. The error's text is for the service.
func (v *converter) parse(m mailbox.Message) (*journal.Job, error) {
	var send wire.SendCommand
	if err := json.Unmarshal([]byte(m.Payload), &send); err != nil {
		return nil, document.Unreadable(err, "the payload")
	}
	doc, err := document.Parse(send.DocumentContent, document.Options{Parameters: send.Parameters, Resolve: v.resolve})
	if err != nil {
		return nil, err
	}
	id, now := wire.CommandID(m.ID), v.now()
	name, err := host.CheckName(id)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", journal.ErrName, err)
	}
	job := &journal.Job{DocumentType: journal.SendCommand, SchemaVersion: doc.Schema, UpstreamServiceName: m.Lane}
	documentName, version := document.SplitName(send.DocumentName)
	job.DocumentInformation = journal.Information{DocumentID: id, CommandID: id, InstanceID: m.Destination, MessageID: m.ID,
		RunID: now.UTC().Format(runStamp), CreatedDate: m.Created, DocumentName: documentName, DocumentVersion: version,
		DocumentStatus: wire.InProgress}
	job.SsmSetup = journal.Ours{Accepted: now, CommandID: send.CommandId}
	job.IOConfig = v.outputs(name, m.Destination, send)
	for _, s := range doc.Steps {
		job.InstancePluginsInformation = append(job.InstancePluginsInformation, plugin(job, s))
	}
	return job, nil
}

// outputs says where output goes (docs/protocol/runcommand.md, "Files, S3, CloudWatch Logs").
func (v *converter) outputs(id host.Name, destination string, send wire.SendCommand) journal.IOConfig {
	io := journal.IOConfig{OrchestrationDirectory: v.journal.Outputs(id), OutputS3BucketName: send.OutputS3BucketName}
	if io.OutputS3BucketName != "" {
		io.OutputS3KeyPrefix = joinKey(send.OutputS3KeyPrefix, send.CommandId, destination)
	}
	if on, err := strconv.ParseBool(send.CloudWatchOutputEnabled); err == nil && on {
		io.CloudWatchConfig = journal.CloudWatch{LogGroupName: send.CloudWatchLogGroupName,
			LogStreamPrefix: send.CommandId + "/" + v.machine.InstanceID}
		if io.CloudWatchConfig.LogGroupName == "" {
			io.CloudWatchConfig.LogGroupName = "/aws/ssm/" + groupName(send.DocumentName)
		}
	}
	return io
}

// joinKey joins the parts of an object's key, slashes cleaned.
func joinKey(parts ...string) string {
	var out []string
	for _, p := range parts {
		for _, s := range strings.Split(p, "/") {
			if s != "" {
				out = append(out, s)
			}
		}
	}
	return strings.Join(out, "/")
}

// groupName replaces what a log group may not be called.
func groupName(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("_-/.#", r):
			return r
		}
		return '.'
	}, name)
}

// plugin is a step as a state file has it.
func plugin(job *journal.Job, s document.Step) journal.Plugin {
	io, info := job.IOConfig, job.DocumentInformation
	c := journal.Configuration{Settings: s.Settings, Properties: s.Inputs, OutputS3BucketName: io.OutputS3BucketName,
		OutputS3KeyPrefix: io.OutputS3KeyPrefix, CloudWatchLogGroup: io.CloudWatchConfig.LogGroupName,
		CloudWatchStreamingEnabled: io.CloudWatchConfig.LogGroupName != "", OrchestrationDirectory: io.OrchestrationDirectory,
		MessageId: info.MessageID, BookKeepingFileName: info.DocumentID, PluginName: s.Action, PluginID: s.ID,
		IsPreconditionEnabled: document.Conditional(job.SchemaVersion), UpstreamServiceName: job.UpstreamServiceName}
	for _, p := range s.Preconditions {
		if c.Preconditions == nil {
			c.Preconditions = map[string][]journal.Argument{}
		}
		var list []journal.Argument
		for _, a := range p.Arguments {
			list = append(list, journal.Argument{InitialArgumentValue: a.Written, ResolvedArgumentValue: a.Resolved, HasParameter: a.Parameter})
		}
		c.Preconditions[p.Operator] = list
	}
	return journal.Plugin{Configuration: c, Name: s.Action, Id: s.ID}
}

// assignment is what the worker gets, made from the state file alone, whichever agent wrote it.
func (v *converter) assignment(j *journal.Job) runner.Assignment {
	info, io := j.DocumentInformation, j.IOConfig
	job := runner.Assignment{MessageID: info.MessageID, CommandID: j.SsmSetup.CommandID, Destination: info.InstanceID,
		DocumentName: info.DocumentName, DocumentVersion: info.DocumentVersion, Lane: j.UpstreamServiceName, Schema: j.SchemaVersion,
		Directory: v.journal.OutputsOf(j), Scratch: v.journal.Scratch(j), NoDisk: j.SsmSetup.NoDisk, Machine: v.machine,
		Output: output.Settings{Bucket: io.OutputS3BucketName, Prefix: io.OutputS3KeyPrefix, LogGroup: io.CloudWatchConfig.LogGroupName,
			Stream: io.CloudWatchConfig.LogStreamPrefix, CleanUp: v.config.Ssm.PluginLocalOutputCleanup}}
	if job.CommandID == "" {
		job.CommandID = info.CommandID
	}
	job.Created, _ = wire.ParseISOMillis(info.CreatedDate)
	for _, p := range j.InstancePluginsInformation {
		job.Steps = append(job.Steps, step(p))
	}
	return job
}

func step(p journal.Plugin) document.Step {
	s := document.Step{ID: p.Id, Action: p.Name, Inputs: p.Configuration.Properties, Settings: p.Configuration.Settings}
	for operator, arguments := range p.Configuration.Preconditions {
		pre := document.Precondition{Operator: operator}
		for _, a := range arguments {
			pre.Arguments = append(pre.Arguments, document.Argument{Written: a.InitialArgumentValue, Resolved: a.ResolvedArgumentValue,
				Parameter: a.HasParameter || a.InitialArgumentValue != a.ResolvedArgumentValue})
		}
		s.Preconditions = append(s.Preconditions, pre)
	}
	return s
}
