package local

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"

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
	var k check
	k.required("documentName", in.DocumentName)
	k.form("documentName", in.DocumentName, `^[a-zA-Z0-9_\-.:/]{3,128}$`, isDocumentReference)
	k.form("documentVersion", in.DocumentVersion, `([$]LATEST|[$]DEFAULT|^[1-9][0-9]*$)`, isDocumentVersion)
	k.length("documentHash", in.DocumentHash, 1, 256)
	k.oneOf("documentHashType", in.DocumentHashType, "Sha256", "Sha1")
	k.number("timeoutSeconds", in.TimeoutSeconds, 30, 2592000)
	k.length("comment", in.Comment, 0, 100)
	k.length("outputS3Region", in.OutputS3Region, 3, 20)
	k.length("outputS3BucketName", in.OutputS3BucketName, 3, 63)
	k.length("outputS3KeyPrefix", in.OutputS3KeyPrefix, 0, 500)
	k.form("maxConcurrency", in.MaxConcurrency, `^([1-9][0-9]*|[1-9][0-9]%|[1-9]%|100%)$`, func(s string) bool { return isShare(s, 1) })
	k.form("maxErrors", in.MaxErrors, `^([1-9][0-9]*|[0]|[1-9][0-9]%|[0-9]%|100%)$`, func(s string) bool { return isShare(s, 0) })
	k.length("cloudWatchLogGroupName", in.CloudWatchOutputConfig.CloudWatchLogGroupName, 1, 512)
	for _, id := range in.InstanceIds {
		k.form("instanceIds", id, `(^i-(\w{8}|\w{17})$)|(^mi-\w{17}$)`, isNodeID)
	}
	k.most("instanceIds", len(in.InstanceIds), 50)
	k.most("targets", len(in.Targets), 5)
	for _, t := range in.Targets {
		k.required("targets.member.key", t.Key)
		k.length("targets.member.key", t.Key, 1, 163)
		k.most("targets.member.values", len(t.Values), 50)
	}
	if len(in.InstanceIds) == 0 && len(in.Targets) == 0 {
		k.fail("targets", "null", "Member must not be null where instanceIds is not given")
	}
	if len(in.InstanceIds) > 0 && len(in.Targets) > 0 {
		k.fail("targets", "'…'", "Member must be null where instanceIds is given")
	}
	return k.err()
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

func sendCommand(c *call) (any, error) {
	var in sendCommandInput
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	cmd, err := c.region.send(in)
	if err != nil {
		return nil, err
	}
	return struct{ Command commandShown }{cmd.shown()}, nil
}

// send makes a command and puts its messages into mailboxes.
func (r *Region) send(in sendCommandInput) (command, error) {
	if err := in.check(); err != nil {
		return command{}, err
	}
	var cmd command
	err := r.db.Update(func(tx *bbolt.Tx) error {
		doc, err := r.commandDocument(tx, in)
		if err != nil {
			return err
		}
		values, err := doc.values(in.Parameters)
		if err != nil {
			return err
		}
		nodes, err := chosen(tx, in, doc)
		if err != nil {
			return err
		}
		cmd = r.newCommand(in, doc, values, nodes)
		for _, n := range nodes {
			inv := invocation{CommandID: cmd.ID, Instance: n.ID, Steps: cmd.Steps}
			if err := save(tx, inInvocations, inv.key(), inv); err != nil {
				return err
			}
		}
		if err := r.schedule(tx, &cmd); err != nil {
			return err
		}
		if err := setAlarms(tx, cmd); err != nil {
			return err
		}
		if err := save(tx, inCommandTimes, newestFirst(cmd.Requested.UnixNano())+"/"+cmd.ID, nil); err != nil {
			return err
		}
		return save(tx, inCommands, cmd.ID, cmd)
	})
	return cmd, err
}

func (r *Region) newCommand(in sendCommandInput, doc content, values map[string]any, nodes []registration) command {
	now := r.now()
	cmd := command{
		ID: uuid.NewString(), Document: in.DocumentName, DocumentVersion: orElse(in.DocumentVersion, "$DEFAULT"), Steps: doc.steps,
		Comment: in.Comment, Parameters: in.Parameters, InstanceIDs: in.InstanceIds, Targets: in.Targets,
		Requested: now, Timeout: deliverySeconds, MaxConcurrency: orElse(in.MaxConcurrency, concurrencyUsual),
		MaxErrors: orElse(in.MaxErrors, errorsUsual), OutputS3Region: in.OutputS3Region, CloudWatch: in.CloudWatchOutputConfig,
		Notification: in.NotificationConfig, Alarm: in.AlarmConfiguration, ServiceRole: in.ServiceRoleArn,
		Standing: map[string]standing{},
	}
	if in.TimeoutSeconds != nil {
		cmd.Timeout = *in.TimeoutSeconds
	}
	cmd.Deadline = now.Add(time.Duration(cmd.Timeout) * time.Second)
	cmd.Expires = cmd.Deadline.Add(executionTime(values))
	cmd.Payload = wire.SendCommand{Parameters: values, DocumentContent: doc.json, CommandId: cmd.ID, DocumentName: in.DocumentName,
		OutputS3BucketName: in.OutputS3BucketName, OutputS3KeyPrefix: in.OutputS3KeyPrefix,
		CloudWatchLogGroupName:  in.CloudWatchOutputConfig.CloudWatchLogGroupName,
		CloudWatchOutputEnabled: strconv.FormatBool(in.CloudWatchOutputConfig.CloudWatchOutputEnabled)}
	for _, n := range nodes {
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

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// chosen are the nodes a command goes to: those named, all of which must be there and fit the document, or those that
// every target selects.
func chosen(tx *bbolt.Tx, in sendCommandInput, doc content) ([]registration, error) {
	if len(in.Targets) > 0 {
		return targeted(tx, in.Targets)
	}
	var nodes []registration
	for i, id := range in.InstanceIds {
		if slices.Contains(in.InstanceIds[:i], id) {
			return nil, refuse("DuplicateInstanceId", "%s is named twice.", id)
		}
		n, err := present(tx, id)
		if err != nil {
			return nil, err
		}
		if p := n.Ping.PlatformType; p != "" && len(doc.platforms) > 0 && !slices.Contains(doc.platforms, p) {
			return nil, refuse("UnsupportedPlatformType", "The document isn't for %s, the platform of %s.", p, id)
		}
		nodes = append(nodes, n)
	}
	return nodes, nil
}

func targeted(tx *bbolt.Tx, targets []target) ([]registration, error) {
	for _, t := range targets {
		if strings.EqualFold(t.Key, "InstanceIds") {
			for _, id := range t.Values {
				if _, err := present(tx, id); err != nil {
					return nil, err
				}
			}
		} else if !strings.HasPrefix(t.Key, "tag:") && t.Key != "tag-key" {
			return nil, refuse("ValidationException", "The target key %q isn't served here: use InstanceIds, tag:<key> or tag-key.", t.Key)
		}
	}
	all, err := nodesOf(tx)
	return slices.DeleteFunc(all, func(n registration) bool {
		return slices.ContainsFunc(targets, func(t target) bool { return !t.selects(n) })
	}), err
}

func (t target) selects(n registration) bool {
	if strings.EqualFold(t.Key, "InstanceIds") {
		return slices.Contains(t.Values, n.ID)
	}
	if t.Key == "tag-key" {
		return slices.ContainsFunc(t.Values, func(key string) bool { _, ok := n.tag(key); return ok })
	}
	value, ok := n.tag(strings.TrimPrefix(t.Key, "tag:"))
	return ok && slices.Contains(t.Values, value)
}
