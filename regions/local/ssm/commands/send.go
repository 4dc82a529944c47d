package commands

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
	"github.com/ssm-setup/ssm-setup/regions/local/ssm/documents"
	"github.com/ssm-setup/ssm-setup/regions/local/ssm/nodes"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Defaults of SendCommand (the SDK's type SendCommandInput).
const (
	deliverySeconds  = 3600 // TimeoutSeconds, 30..2592000
	executionSeconds = 3600 // where the document has no parameter executionTimeout
	concurrencyUsual = "50"
	errorsUsual      = "0"
)

type sendCommandInput struct {
	InstanceIds            []string
	Targets                []target
	DocumentName           string
	DocumentVersion        string
	DocumentHash           string
	DocumentHashType       string
	TimeoutSeconds         *int
	Comment                string
	Parameters             map[string][]string
	OutputS3Region         string
	OutputS3BucketName     string
	OutputS3KeyPrefix      string
	MaxConcurrency         string
	MaxErrors              string
	ServiceRoleArn         string
	NotificationConfig     json.RawMessage
	CloudWatchOutputConfig cloudWatchOutput
	AlarmConfiguration     json.RawMessage
}

func (in sendCommandInput) check() error {
	var k protocol.Check
	k.Required("documentName", in.DocumentName)
	k.Form("documentName", in.DocumentName, `^[a-zA-Z0-9_\-.:/]{3,128}$`, documents.IsReference)
	k.Form("documentVersion", in.DocumentVersion, `([$]LATEST|[$]DEFAULT|^[1-9][0-9]*$)`, documents.IsVersion)
	k.Length("documentHash", in.DocumentHash, 1, 256)
	k.OneOf("documentHashType", in.DocumentHashType, "Sha256", "Sha1")
	k.Number("timeoutSeconds", in.TimeoutSeconds, 30, 2592000)
	k.Length("comment", in.Comment, 0, 100)
	k.Length("outputS3Region", in.OutputS3Region, 3, 20)
	k.Length("outputS3BucketName", in.OutputS3BucketName, 3, 63)
	k.Length("outputS3KeyPrefix", in.OutputS3KeyPrefix, 0, 500)
	k.Form("maxConcurrency", in.MaxConcurrency, `^([1-9][0-9]*|[1-9][0-9]%|[1-9]%|100%)$`, func(s string) bool { return isShare(s, 1) })
	k.Form("maxErrors", in.MaxErrors, `^([1-9][0-9]*|[0]|[1-9][0-9]%|[0-9]%|100%)$`, func(s string) bool { return isShare(s, 0) })
	group := in.CloudWatchOutputConfig.CloudWatchLogGroupName
	k.Length("cloudWatchOutputConfig.cloudWatchLogGroupName", group, 1, 512)
	k.Form("cloudWatchOutputConfig.cloudWatchLogGroupName", group, `[\.\-_/#A-Za-z0-9]+`,
		func(s string) bool { return protocol.Only(s, ".-_/#") })
	for _, id := range in.InstanceIds {
		k.Form("instanceIds", id, `(^i-(\w{8}|\w{17})$)|(^mi-\w{17}$)`, nodes.IsID)
	}
	k.Most("instanceIds", len(in.InstanceIds), 50)
	k.Most("targets", len(in.Targets), 5)
	for _, t := range in.Targets {
		k.Required("targets.member.key", t.Key)
		k.Length("targets.member.key", t.Key, 1, 163)
		k.Most("targets.member.values", len(t.Values), 50)
	}
	if len(in.InstanceIds) == 0 && len(in.Targets) == 0 {
		k.Fail("targets", "null", "Member must not be null where instanceIds is not given")
	}
	if len(in.InstanceIds) > 0 && len(in.Targets) > 0 {
		k.Fail("targets", "'…'", "Member must be null where instanceIds is given")
	}
	return k.Err()
}

// isShare tells whether s is a number or a percentage, from least on and of at most 7 characters.
func isShare(s string, least int) bool {
	digits, percent := strings.CutSuffix(s, "%")
	n, err := strconv.Atoi(digits)
	return err == nil && len(s) <= 7 && strconv.Itoa(n) == digits && n >= least && (!percent || n <= 100)
}

// share is what a number or percentage means among n nodes, rounded down.
func share(s string, n int) int {
	digits, percent := strings.CutSuffix(s, "%")
	v, _ := strconv.Atoi(digits)
	if percent {
		return v * n / 100
	}
	return v
}

func (c command) atOnce() int        { return max(1, share(c.MaxConcurrency, len(c.Order))) }
func (c command) errorsAllowed() int { return share(c.MaxErrors, len(c.Order)) }

func (tr *Tracker) sendCommand(c *protocol.Call) (any, error) {
	var in sendCommandInput
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	cmd, err := tr.send(in)
	if err != nil {
		return nil, err
	}
	return struct{ Command commandShown }{cmd.shown()}, nil
}

// send makes a command and puts its messages into mailboxes.
func (tr *Tracker) send(in sendCommandInput) (command, error) {
	if err := in.check(); err != nil {
		return command{}, err
	}
	var cmd command
	err := tr.records.Update(func(tx *records.Tx) error {
		doc, err := tr.documents.Command(tx, documents.Wanted{Name: in.DocumentName, Version: in.DocumentVersion, Hash: in.DocumentHash,
			HashType: in.DocumentHashType})
		if err != nil {
			return err
		}
		values, err := doc.Values(in.Parameters)
		if err != nil {
			return err
		}
		to, err := chosen(tx, in, doc)
		if err != nil {
			return err
		}
		cmd = tr.newCommand(in, doc, values, to)
		for _, n := range to {
			inv := invocation{CommandID: cmd.ID, Instance: n.ID, Steps: cmd.Steps}
			if err := records.Save(tx, invocationsTable, inv.key(), inv); err != nil {
				return err
			}
		}
		if err := tr.schedule(tx, &cmd); err != nil {
			return err
		}
		if err := setDeadlines(tx, cmd); err != nil {
			return err
		}
		if err := records.Save(tx, timesTable, records.NewestFirst(cmd.Requested.UnixNano())+"/"+cmd.ID, nil); err != nil {
			return err
		}
		return records.Save(tx, commandsTable, cmd.ID, cmd)
	})
	return cmd, err
}

func (tr *Tracker) newCommand(in sendCommandInput, doc documents.Content, values map[string]any, to []nodes.Node) command {
	now := tr.now()
	cmd := command{
		ID: uuid.NewString(), Document: in.DocumentName, DocumentVersion: cmp.Or(in.DocumentVersion, "$DEFAULT"), Steps: stepsOf(doc),
		Comment: in.Comment, Parameters: in.Parameters, InstanceIDs: in.InstanceIds, Targets: in.Targets,
		Requested: now, Timeout: deliverySeconds, MaxConcurrency: cmp.Or(in.MaxConcurrency, concurrencyUsual),
		MaxErrors: cmp.Or(in.MaxErrors, errorsUsual), OutputS3Region: in.OutputS3Region, CloudWatch: in.CloudWatchOutputConfig,
		Notification: in.NotificationConfig, Alarm: in.AlarmConfiguration, ServiceRole: in.ServiceRoleArn,
		Standing: map[string]standing{},
	}
	if in.TimeoutSeconds != nil {
		cmd.Timeout = *in.TimeoutSeconds
	}
	cmd.Deadline = now.Add(time.Duration(cmd.Timeout) * time.Second)
	cmd.Expires = cmd.Deadline.Add(executionTime(values))
	cmd.Payload = wire.SendCommand{Parameters: values, DocumentContent: doc.JSON, CommandId: cmd.ID, DocumentName: in.DocumentName,
		OutputS3BucketName: in.OutputS3BucketName, OutputS3KeyPrefix: in.OutputS3KeyPrefix,
		CloudWatchLogGroupName:  in.CloudWatchOutputConfig.CloudWatchLogGroupName,
		CloudWatchOutputEnabled: strconv.FormatBool(in.CloudWatchOutputConfig.CloudWatchOutputEnabled)}
	for _, n := range to {
		cmd.Order = append(cmd.Order, n.ID)
		cmd.Standing[n.ID] = standing{Status: pending, Details: pending}
	}
	return cmd
}

// executionTime is what the parameter executionTimeout says; the longest a step may take is 48 h.
func executionTime(values map[string]any) time.Duration {
	text, _ := values["executionTimeout"].(string)
	seconds, err := strconv.Atoi(text)
	if err != nil || seconds <= 0 || seconds > 172800 {
		seconds = executionSeconds
	}
	return time.Duration(seconds) * time.Second
}
