package wire

import (
	"strings"
	"time"
)

// Targets of the AWS JSON 1.1 protocol (header X-Amz-Target): prefix + "." + operation.
const (
	TargetSSM         = "AmazonSSM"                        // docs/protocol/identity.md, "Common to all calls"
	TargetEC2Messages = "EC2WindowsMessageDeliveryService" // docs/protocol/runcommand.md, "Transport of ec2messages"
	ContentType       = "application/x-amz-json-1.1"
)

// Topics of ec2messages messages, matched by prefix (docs/protocol/runcommand.md, "Message object").
const (
	TopicSendCommand   = "aws.ssm.sendCommand"
	TopicCancelCommand = "aws.ssm.cancelCommand"
)

// Status words of steps and documents (docs/protocol/runcommand.md, "Status values").
const (
	NotStarted       = "NotStarted"
	InProgress       = "InProgress"
	Success          = "Success"
	SuccessAndReboot = "SuccessAndReboot"
	PassedAndReboot  = "PassedAndReboot"
	Failed           = "Failed"
	Cancelled        = "Cancelled"
	TimedOut         = "TimedOut"
	Skipped          = "Skipped"
)

// Failure types of FailMessage (docs/protocol/runcommand.md, "Operations of ec2messages").
const (
	NoHandlerExists          = "NoHandlerExists"
	InternalHandlerException = "InternalHandlerException"
)

// isoMillis is the time layout of payloads: UTC, exactly three fraction digits (docs/protocol/runcommand.md, "Conventions").
const isoMillis = "2006-01-02T15:04:05.000Z"

// ISOMillis prints t as payloads carry it.
func ISOMillis(t time.Time) string { return t.UTC().Format(isoMillis) }

// ParseISOMillis reads what [ISOMillis] prints.
func ParseISOMillis(s string) (time.Time, error) { return time.Parse(isoMillis, s) }

// MessageID is aws.ssm.<command id>.<instance id>.
func MessageID(commandID, instanceID string) string { return "aws.ssm." + commandID + "." + instanceID }

// CommandID is the second to last dot-separated element of a message id, or the whole text when it does not look like
// one (docs/protocol/runcommand.md, "Conventions").
func CommandID(messageID string) string {
	rest, ok := strings.CutPrefix(messageID, "aws.ssm.")
	if !ok || strings.IndexByte(rest, '.') <= 0 {
		return messageID
	}
	parts := strings.Split(messageID, ".")
	return parts[len(parts)-2]
}
