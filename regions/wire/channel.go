package wire

// CreateChannelInput asks for the token of a channel (docs/protocol/session.md, "CreateControlChannel / CreateDataChannel").
type CreateChannelInput struct {
	MessageSchemaVersion string // [ChannelSchema]
	RequestId            string // UUID, fresh in every call
}

// ChannelSchema is the schema version of channels.
const ChannelSchema = "1.0"

// ControlChannelPath is where the control channel of an instance is created and opened (docs/protocol/session.md, "Websocket URLs").
const ControlChannelPath = "/v1/control-channel/"

// ControlChannelQuery is the query of the address at which a control channel is opened.
const ControlChannelQuery = "role=subscribe&stream=input"

// OpenControlChannel is the first message of a control channel, as text (docs/protocol/session.md, "Open messages (first message after the
// upgrade, websocket *text*)").
type OpenControlChannel struct {
	Cookie               *string // always null
	MessageSchemaVersion string
	RequestId            string
	TokenValue           string
	AgentVersion         string
	PlatformType         string // linux, windows, macos
}

// KeepAlive is the payload of pings on channels (docs/protocol/session.md, "Keepalive").
const KeepAlive = "keepalive"

// AgentJob is the payload of an agent_job: a command or a cancel (docs/protocol/runcommand.md, "Message types and payloads").
type AgentJob struct {
	Content       string // JSON of a [SendCommand] or [CancelCommand]
	JobId         string // the message id
	Topic         string
	SchemaVersion int
}

// AgentJobAck is the agent's receipt for an agent_job.
type AgentJobAck struct {
	JobID        string `json:"jobId"`
	Acknowledged string `json:"acknowledgedMessageId"` // id of the agent_job's frame
	CreatedDate  string `json:"createdDate"`           // of the agent_job's frame, ISO ms
	StatusCode   string `json:"statusCode"`            // a [JobStatus]'s code
	ErrorMessage string `json:"errorMessage"`
}

// AgentJobReply carries a [Reply] as text.
type AgentJobReply struct {
	SchemaVersion int    `json:"schemaVersion"` // 1
	JobID         string `json:"jobId"`
	Content       string `json:"content"` // at most [LongestContent] bytes
	Topic         string `json:"topic"`
}

// LongestContent is how much one agent_job_reply carries, in bytes (docs/protocol/runcommand.md, "Delivering results").
const LongestContent = 120_000

// AgentJobReplyAck is the service's receipt for an agent_job_reply.
type AgentJobReplyAck struct {
	JobID        string `json:"jobId"`
	Acknowledged string `json:"acknowledgedMessageId"` // id of the agent_job_reply's frame
}

// JobStatus is what an [AgentJobAck] says.
type JobStatus struct{ Code, Message string }

// The statuses of acknowledgements (docs/protocol/runcommand.md, "statusCode / errorMessage of agent_job_ack").
var (
	JobAccepted    = JobStatus{"200", "Successful"}
	JobClosed      = JobStatus{"51401", "ClosedProcessor"}
	JobFull        = JobStatus{"51402", "ProcessorBufferFull"}
	JobUnexpected  = JobStatus{"51403", "UnexpectedDocumentType"}
	JobUntranslate = JobStatus{"51404", "ProcessorErrorCodeTranslationFailed"}
	JobDuplicate   = JobStatus{"51405", "DuplicateCommand"}
	JobInvalid     = JobStatus{"51406", "InvalidDocument"}
	JobUnreadable  = JobStatus{"51408", "AgentJobMessageParseError"}
	JobFailed      = JobStatus{"51499", "UnexpectedError"}
)
