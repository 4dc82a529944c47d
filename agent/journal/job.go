package journal

import (
	"encoding/json"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// Types of documents. The second is spelled as on disk (docs/protocol/runcommand.md, "De-duplication").
const (
	SendCommand   = "SendCommand"
	CancelCommand = "CancelComamnd"
)

// Job is a state file (docs/protocol/runcommand.md, "State file"). Members of the original that ours has no use for are not listed;
// they are kept when a file that has them is written again.
type Job struct {
	DocumentInformation        Information
	DocumentType               string
	SchemaVersion              string
	InstancePluginsInformation []Plugin
	CancelInformation          Cancel
	IOConfig                   IOConfig
	UpstreamServiceName        string // the lane: MessageDeliveryService, MessageGatewayService
	SsmSetup                   Ours

	read json.RawMessage // the file this was read from
	size int             // of the state file, in bytes

	inMemory bool // see [Journal.KeepInMemory]
}

// Information says which command this is.
type Information struct {
	DocumentID      string // the file's name: the command id out of the message id
	CommandID       string // likewise
	AssociationID   string
	InstanceID      string
	MessageID       string
	RunID           string // time of acceptance, yyyy-MM-ddTHH-mm-ss.fffZ
	CreatedDate     string // the message's, ISO ms
	DocumentName    string
	DocumentVersion string
	DocumentStatus  string
	RunCount        int // starts of an agent that found it in current
	ProcInfo        Process
	ClientId        string
	RunAsUser       string
	SessionOwner    string
}

// Process is the worker, for the original, which waits for a document whose process lives; ours finds its worker by a lock.
type Process struct {
	Pid       int
	StartTime time.Time
}

// Plugin is one step.
type Plugin struct {
	Configuration Configuration
	Name          string          // of the action
	Result        json.RawMessage // as the worker told it; null: not run
	Id            string          // of the step
}

// Configuration is what a step is run with, parameters already put in.
type Configuration struct {
	Settings                    any
	Properties                  any
	OutputS3KeyPrefix           string
	OutputS3BucketName          string
	S3EncryptionEnabled         bool
	CloudWatchLogGroup          string
	CloudWatchEncryptionEnabled bool
	CloudWatchStreamingEnabled  bool
	OrchestrationDirectory      string
	MessageId                   string
	BookKeepingFileName         string
	PluginName                  string
	PluginID                    string
	DefaultWorkingDirectory     string
	Preconditions               map[string][]Argument
	IsPreconditionEnabled       bool
	UpstreamServiceName         string
}

// Argument is an argument of a precondition.
type Argument struct {
	InitialArgumentValue  string
	ResolvedArgumentValue string
	HasParameter          bool `json:",omitempty"` // ours: holds a document parameter
}

// Cancel names what a cancel is for; empty in commands.
type Cancel struct {
	CancelMessageID string
	CancelCommandID string
	Payload         string
	DebugInfo       string
}

// IOConfig says where output goes.
type IOConfig struct {
	OrchestrationDirectory string
	OutputS3BucketName     string
	OutputS3KeyPrefix      string
	CloudWatchConfig       CloudWatch
}

// CloudWatch is the log group and the beginning of the streams' names.
type CloudWatch struct {
	LogGroupName              string
	LogStreamPrefix           string
	LogGroupEncryptionEnabled bool
}

// Ours is what the original's file has no place for.
type Ours struct {
	Accepted    time.Time   `json:"accepted"`              // decides who is first after a restart
	Told        int         `json:"told,omitempty"`        // the worker's events up to this number were reported
	Cancelled   bool        `json:"cancelled,omitempty"`   // a cancel was accepted
	RebootFrom  string      `json:"reboot_from,omitempty"` // boot id when a reboot was asked for
	RebootAsked time.Time   `json:"reboot_asked,omitzero"` // when
	Schema      string      `json:"schema,omitempty"`      // of the document, exactly
	CommandID   string      `json:"command_id,omitempty"`  // of the payload, for S3 and logs
	NoDisk      string      `json:"no_disk,omitempty"`     // why the job is kept in memory
	FinalReply  *FinalReply `json:"verdict,omitempty"`     // nothing runs any more, this is to be answered
}

// FinalReply is an end that the agent found itself: its worker died, or none could be started.
type FinalReply struct {
	Seq   int             `json:"seq"`             // number of the reply
	Event json.RawMessage `json:"event"`           // the end, as the worker would have told it
	Trace string          `json:"trace,omitempty"` // why, where there is no step to say it
}

// Size is how long the job's state file is, in bytes, as it was last written or read.
func (j *Job) Size() int { return j.size }

// Brief is what must be known of a job that waits; [Journal.Waiting] reads all of it.
func (j *Job) Brief() *Job {
	return &Job{DocumentInformation: j.DocumentInformation, DocumentType: j.DocumentType, UpstreamServiceName: j.UpstreamServiceName,
		SsmSetup: j.SsmSetup, size: j.size, inMemory: j.inMemory}
}

// ID is the job's name on disk; the zero name where its document id cannot be one.
func (j *Job) ID() host.Name {
	id, _ := host.CheckName(j.DocumentInformation.DocumentID)
	return id
}
