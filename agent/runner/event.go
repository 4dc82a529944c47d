package runner

import (
	"time"

	"github.com/ssm-setup/ssm-setup/agent/output"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Kinds of events.
const (
	Started = "started" // the worker has the job; nothing to tell the service
	Step    = "step"    // a step ended (or its saved result is told again after a reboot)
	Done    = "done"    // the document ended, or waits for a reboot (Status SuccessAndReboot)
)

// Event is one line of <dir>/events. Seq counts from 1 without gaps over all runs of the job, so that "told up to Seq"
// is all that a journal has to remember.
type Event struct {
	Seq    int            `json:"seq"`
	Kind   string         `json:"kind"`
	At     time.Time      `json:"at"`
	Step   int            `json:"step"`             // Step: place in the document, from 0
	Result *Result        `json:"result,omitempty"` // Step; also Done when the document has exactly one result
	Counts map[string]int `json:"counts,omitempty"` // status → steps, over all steps finished so far
	Status string         `json:"status,omitempty"` // Done: status of the document
	Forced bool           `json:"forced,omitempty"` // Done: the worker died; made up by the reader, not in the file
	PID    int            `json:"pid,omitempty"`    // Started
	Boot   string         `json:"boot,omitempty"`   // Started, Done: boot id, to tell whether a reboot happened
}

// reboots tells whether the document waits for a reboot.
func (e Event) reboots() bool { return e.Kind == Done && e.Status == wire.SuccessAndReboot }

// Result is what a step left behind. The JSON form is that of the original's state files and saved replies
// (docs/protocol/runcommand.md, "State file").
type Result struct {
	PluginID       string    `json:"pluginID"` // step id
	PluginName     string    `json:"pluginName"`
	Status         string    `json:"status"`
	Code           int       `json:"code"`
	Output         string    `json:"output"`
	Start          time.Time `json:"startDateTime"`
	End            time.Time `json:"endDateTime"`
	output.Upload            // empty without a bucket
	Error          string    `json:"error"`
	StandardOutput string    `json:"standardOutput"`
	StandardError  string    `json:"standardError"`
}
