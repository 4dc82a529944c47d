package ledger

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// Reasons for an update, in [Request.Why].
const (
	ByCommandLine = "cli"      // a person: ssm-setup update
	ByDocument    = "document" // aws:updateSsmAgent
	BySetup       = "setup"    // ssm-setup install on a host that has an agent
	ByTimer       = "timer"    // scheduled; postponed while the service is out of reach
	ByRollback    = "rollback" // a person: ssm-setup rollback
)

// Previous is the [Request.Want] that goes back to the version before, without network and region.
const Previous = "previous"

// Request is the wish for an update, from a document, the timer or a command.
type Request struct {
	ID             string    `json:"id,omitempty"`   // set when it is handed over; names it in the ledger
	Want           string    `json:"want,omitempty"` // "", None, latest, stable, a version, a constraint such as ">=9.1", or [Previous]
	AllowDowngrade bool      `json:"allow_downgrade,omitempty"`
	Why            string    `json:"why,omitempty"`        // one of the By… constants
	Package        string    `json:"package,omitempty"`    // for the words; empty: amazon-ssm-agent
	Source         string    `json:"source,omitempty"`     // manifest URL that a document carries, {Region} allowed; may be empty
	Once           bool      `json:"once,omitempty"`       // a person on this machine named Source: it counts, whatever the settings say
	Override       bool      `json:"override,omitempty"`   // a person on this machine: all the same, whatever the host's policy says
	LimitRate      int64     `json:"limit_rate,omitempty"` // bytes a second that the download takes at most; 0: as the settings say
	ReplyTo        *ReplyTo  `json:"reply_to,omitempty"`
	Asked          time.Time `json:"asked,omitzero"`
	// LastLook is when the host looked for a release by itself before this look, of a request of the schedule; zero: not known.
	LastLook time.Time `json:"last_look,omitzero"`
	// IfRunning is the version that has to run for the request to count; zero: any.
	IfRunning manifests.Version `json:"if_running,omitzero"`
}

// ReplyTo says where the answer to a command goes (docs/protocol/update.md, "Command reply"); that reply ends the InProgress step.
type ReplyTo struct {
	MessageID  string    `json:"message_id"`
	CommandID  string    `json:"command_id,omitempty"`
	PluginKey  string    `json:"plugin_key"`            // key in runtimeStatus: the step's name (2.x), the plugin's name (1.x)
	PluginName string    `json:"plugin_name,omitempty"` // aws:updateSsmAgent; empty for schema 1.x
	StepName   string    `json:"step_name,omitempty"`
	Upstream   string    `json:"upstream,omitempty"` // MessageDeliveryService or empty; MessageGatewayService
	Started    time.Time `json:"started,omitzero"`   // when the step began
	Stdout     string    `json:"stdout,omitempty"`   // orchestration files of the step, appended to where they exist
	Stderr     string    `json:"stderr,omitempty"`
	Bucket     string    `json:"bucket,omitempty"` // where the step's output is kept besides
	Prefix     string    `json:"prefix,omitempty"` // key up to and without /stdout
	Note       string    `json:"note,omitempty"`   // end of every answer's output
}

// Explicit tells whether a person or a document wants this now; a scheduled update is not.
func (r Request) Explicit() bool { return r.Why != ByTimer }

// GoesBack tells a rollback. No document may ask for one: to it, "previous" names no version.
func (r Request) GoesBack() bool { return r.Want == Previous && r.Why != ByDocument }

// longestRequest bounds a request file, in bytes.
const longestRequest = 16 << 10

// longestWant bounds what a version may be asked for with, in bytes.
const longestWant = 256

func askDir(l installer.Layout) string { return filepath.Join(l.UpdateRoot(), "ask") }

// A request file has one of two endings, see [Deposit]. One that was handed over becomes an entry in the ledger within moments,
// or is refused; an updater that takes it for later gives it the second name. So no updater takes a request that another one is
// still answering.
const (
	HandedOver = ".json"
	ForLater   = ".next"
)

// orphaned is the age at which a request that no updater took belongs to resume: its updater never came to life.
const orphaned = time.Minute

// Deposit puts a request where the updater, or resume after a crash, finds it.
func Deposit(l installer.Layout, r Request, ending string) (string, error) {
	dir := askDir(l)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return "", err
	}
	if len(text) > longestRequest {
		return "", fmt.Errorf("request of %d bytes, at most %d", len(text), longestRequest)
	}
	path := filepath.Join(dir, r.ID+ending)
	if err := host.WriteFile(path, text, 0o600); err != nil {
		os.Remove(path) // a request that is refused must not be found later
		return "", err
	}
	return path, nil
}

// ReadRequest reads a request that was handed over.
func ReadRequest(path string) (Request, error) {
	f, err := os.Open(path)
	if err != nil {
		return Request{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Request{}, err
	}
	if !info.Mode().IsRegular() || info.Size() > longestRequest {
		return Request{}, fmt.Errorf("%s is not a request", path)
	}
	var r Request
	if err := json.NewDecoder(f).Decode(&r); err != nil {
		return Request{}, fmt.Errorf("%s is not a request: %w", path, err)
	}
	return r, nil
}

// Waiting are the requests taken for later, and the orphaned ones, oldest first. Unreadable ones are removed.
func Waiting(l installer.Layout, now time.Time) []Request {
	entries, _ := os.ReadDir(askDir(l))
	var list []Request
	for _, e := range entries {
		id, ending, _ := strings.Cut(e.Name(), ".")
		if ending = "." + ending; ending != HandedOver && ending != ForLater {
			continue
		}
		path := filepath.Join(askDir(l), e.Name())
		switch r, err := ReadRequest(path); {
		case err != nil || r.ID != id:
			os.Remove(path)
		case ending == ForLater || now.Sub(r.Asked).Abs() > orphaned: // also one that was written before the clock was put back
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b Request) int { return a.Asked.Compare(b.Asked) })
	return list
}

// Withdraw removes a request that was taken, or refused.
func Withdraw(l installer.Layout, id string) {
	if id != "" && !strings.ContainsAny(id, `/\`) {
		os.Remove(filepath.Join(askDir(l), id+HandedOver))
		os.Remove(filepath.Join(askDir(l), id+ForLater))
	}
}

// WithID gives a request its name and time.
func WithID(r Request, now time.Time) Request {
	r.Want = Cut(r.Want, longestWant)
	if r.ID == "" {
		r.ID = host.NewUUID()
	}
	if r.Asked.IsZero() {
		r.Asked = now
	}
	return r
}
