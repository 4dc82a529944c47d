package runner

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/document"
	"github.com/ssm-setup/ssm-setup/agent/output"
	"github.com/ssm-setup/ssm-setup/agent/plugins"
)

// Assignment is everything a worker process needs to know, as JSON in <dir>/job.json. The agent that accepted the
// message writes it with [Prepare]; the worker has no other source.
type Assignment struct {
	MessageID       string          `json:"message_id"` // aws.ssm.<command id>.<instance id>
	CommandID       string          `json:"command_id"` // as in the payload, for S3 keys and log streams
	Destination     string          `json:"destination"`
	DocumentName    string          `json:"document_name"`
	DocumentVersion string          `json:"document_version,omitempty"`
	Lane            string          `json:"lane"` // the service the message came from; answers go back there
	Created         time.Time       `json:"created"`
	Schema          string          `json:"schema"` // document.Document.Schema
	Steps           []document.Step `json:"steps"`
	Directory       string          `json:"directory"`         // of this command: <orchestration>/<command id>, absolute
	Scratch         string          `json:"scratch,omitempty"` // folder in memory for scripts that the disk does not take
	NoDisk          string          `json:"no_disk,omitempty"` // why Directory is in memory, too: streams are kept in no file there
	Output          output.Settings `json:"output"`
	Machine         plugins.Machine `json:"machine"`
}

const (
	jobFile    = "job.json"
	eventsFile = "events"
	cancelFile = "cancel"
	lockName   = "lock"
	logFile    = "log"
)

// Prepare makes dir (0700) and writes the job into it, whole or not at all (0600). To write it again, for example after
// a restart before the worker was started, is harmless. It is not synced, which would cost the command's answer several milliseconds:
// the job's state file is on disk, and a job is written again from that before it is started or, with [Spec.Steps], given up.
func Prepare(dir string, job Assignment) error {
	data, err := json.Marshal(job)
	if err != nil {
		return fmt.Errorf("job %s: %w", job.CommandID, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	making := filepath.Join(dir, "."+jobFile)
	if err := os.WriteFile(making, data, 0o600); err != nil {
		return err
	}
	return os.Rename(making, filepath.Join(dir, jobFile))
}

func readJob(dir string) (Assignment, error) {
	var job Assignment
	data, err := os.ReadFile(filepath.Join(dir, jobFile))
	if err != nil {
		return job, err
	}
	if err := json.Unmarshal(data, &job); err != nil {
		return job, fmt.Errorf("%s: %w", jobFile, err)
	}
	return job, nil
}
