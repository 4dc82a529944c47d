package wire

import "encoding/json"

// GetMessagesInput is one long poll (docs/protocol/runcommand.md, "Operations of ec2messages"). Visibility is in seconds; the
// agent sends 10.
type GetMessagesInput struct {
	Destination                string
	MessagesRequestId          string
	NextToken                  string `json:",omitempty"`
	VisibilityTimeoutInSeconds int
}

// GetMessagesOutput answers a poll; an empty list ends one.
type GetMessagesOutput struct {
	Destination       string
	Messages          []Message
	MessagesRequestId string
}

// Message is one message of ec2messages. The agent needs all but PayloadDigest and NextToken (docs/protocol/runcommand.md,
// "Message object").
type Message struct {
	CreatedDate   string // ISO ms
	Destination   string // instance id
	MessageId     string
	NextToken     string `json:",omitempty"`
	Payload       string // JSON text
	PayloadDigest string `json:",omitempty"`
	Topic         string
}

// AcknowledgeMessageInput settles a message that its node takes on.
type AcknowledgeMessageInput struct{ MessageId string }

// DeleteMessageInput settles a message; it is sent by the updater when an update that came over ec2messages ends.
type DeleteMessageInput struct{ MessageId string }

// FailMessageInput settles a message that its node cannot take on; it carries one of the failure types.
type FailMessageInput struct {
	FailureType string
	MessageId   string
}

// SendReplyInput carries a [Reply] as text. A retried reply keeps its ReplyId.
type SendReplyInput struct {
	MessageId string
	Payload   string
	ReplyId   string
}

// SendReplyOutput is ignored by agents.
type SendReplyOutput struct {
	Description string
	MessageId   string
	ReplyId     string
	ReplyStatus string // Created, Queued, Acknowledged, NoActionTaken
}

// GetEndpointInput asks for the endpoint of a destination; no agent calls it.
type GetEndpointInput struct{ Destination string }

// GetEndpointOutput answers it.
type GetEndpointOutput struct{ Endpoint string }

// SendCommand is the payload of a send topic (docs/protocol/runcommand.md, "SendCommand payload"). DocumentContent stays raw:
// reading it is the room of agent/document.
type SendCommand struct {
	Parameters              map[string]any
	DocumentContent         json.RawMessage
	CommandId               string
	DocumentName            string
	OutputS3BucketName      string
	OutputS3KeyPrefix       string
	CloudWatchLogGroupName  string
	CloudWatchOutputEnabled string // "true" or "false" as text
}

// CancelCommand is the payload of a cancel topic: the message id of the command to cancel (docs/protocol/runcommand.md,
// "CancelCommand payload").
type CancelCommand struct{ CancelMessageId string }
