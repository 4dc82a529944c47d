package wire

// Reply is what SendReply carries, and the content of an agent_job_reply (docs/protocol/runcommand.md, "Reply payload").
// RuntimeStatus is null on document-level replies, {} on the last reply of a document with two or more steps.
type Reply struct {
	AdditionalInfo      AdditionalInfo        `json:"additionalInfo"`
	DocumentStatus      string                `json:"documentStatus"`
	DocumentTraceOutput string                `json:"documentTraceOutput"`
	RuntimeStatus       map[string]StepStatus `json:"runtimeStatus"`
}

// AdditionalInfo says who replies and when.
type AdditionalInfo struct {
	Agent                   AgentInfo      `json:"agent"`
	DateTime                string         `json:"dateTime"` // ISO ms
	RunID                   string         `json:"runId"`    // always empty
	RuntimeStatusCounts     map[string]int `json:"runtimeStatusCounts"`
	AbleToOpenMGSConnection *bool          `json:"ableToOpenMGSConnection,omitempty"` // ec2messages only
}

// AgentInfo names the agent in replies.
type AgentInfo struct {
	Lang      string `json:"lang"`
	Name      string `json:"name"`
	OS        string `json:"os"`
	OSVersion string `json:"osver"`
	Version   string `json:"ver"`
}

// StepStatus is one entry of runtimeStatus; all keys are always there.
type StepStatus struct {
	Status             string `json:"status"`
	Code               int    `json:"code"`
	Name               string `json:"name"` // plugin name
	Output             string `json:"output"`
	StartDateTime      string `json:"startDateTime"` // ISO ms
	EndDateTime        string `json:"endDateTime"`   // ISO ms
	OutputS3BucketName string `json:"outputS3BucketName"`
	OutputS3KeyPrefix  string `json:"outputS3KeyPrefix"`
	StepName           string `json:"stepName"`
	StandardOutput     string `json:"standardOutput"`
	StandardError      string `json:"standardError"`
}
