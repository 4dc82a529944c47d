package takeover

import (
	"os"
	"path/filepath"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// replyFile is an answer that the agent sends over ssmmessages (docs/protocol/update.md, "Command reply").
type replyFile struct {
	AgentResult agentResult
	ReplyId     string
	RetryNumber int
}

type agentResult struct {
	DocumentName        string
	DocumentVersion     string
	MessageID           string
	AssociationID       string
	PluginResults       map[string]pluginResult
	Status              string
	LastPlugin          string
	NPlugins            int
	UpstreamServiceName string
	ResultType          string
	RelatedDocumentType string
}

type pluginResult struct {
	PluginID           string    `json:"pluginID"`
	PluginName         string    `json:"pluginName"`
	Status             string    `json:"status"`
	Code               int       `json:"code"`
	Output             string    `json:"output"`
	StartDateTime      time.Time `json:"startDateTime"`
	EndDateTime        time.Time `json:"endDateTime"`
	OutputS3BucketName string    `json:"outputS3BucketName"`
	OutputS3KeyPrefix  string    `json:"outputS3KeyPrefix"`
	StepName           string    `json:"stepName"`
	Error              string    `json:"error"`
	StandardOutput     string    `json:"standardOutput"`
	StandardError      string    `json:"standardError"`
}

// leaveReply writes an answer where the agent looks for it.
func (w *work) leaveReply(to *ledger.ReplyTo, payload string) error {
	id, err := w.Identity()
	if err != nil {
		return err
	}
	message, err := host.CheckName(to.MessageID)
	if err != nil {
		return nil //nolint:nilerr // no try gives it a place
	}
	dir := filepath.Join(w.Layout.Data(), id, "replies_mgs")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	name := w.Now().UTC().Format("2006-01-02T15-04-05.000000") + "_" + message.String() + "_update"
	return host.WriteFile(filepath.Join(dir, name), []byte(payload), 0o600)
}
