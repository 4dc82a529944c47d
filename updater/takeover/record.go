package takeover

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// Record is the file of that name: the exchange under way. Members are only ever added.
type Record struct {
	ID      string          `json:"id"`
	Order   Order           `json:"order"`
	ReplyTo *ledger.ReplyTo `json:"reply_to,omitempty"` // nil: no command asked
	Why     string          `json:"why,omitempty"`
	Home    string          `json:"home,omitempty"` // manifest of the source's package, where it is another than the target's
	Began   time.Time       `json:"began"`

	Override  bool              `json:"override,omitempty"`  // a person at the machine goes past the host's rules
	IfRunning manifests.Version `json:"if_running,omitzero"` // the only version that the request is for; zero: any
	LimitRate int64             `json:"limit_rate,omitempty"`

	Step string   `json:"step"` // the row it stands at
	From *Package `json:"from,omitempty"`
	To   *Package `json:"to,omitempty"`

	State   string   `json:"state"`  // in the original's words, for the health status
	Result  string   `json:"result"` // InProgress, Success, Failed
	Sub     string   `json:"sub,omitempty"`
	Code    string   `json:"code,omitempty"`
	Reason  string   `json:"reason,omitempty"`
	Lines   []string `json:"lines,omitempty"`
	Errors  []string `json:"errors,omitempty"` // of the answer's stderr
	Running string   `json:"running,omitempty"`

	Told    bool      `json:"told,omitempty"`     // the text stands in the step's files
	ReplyID string    `json:"reply_id,omitempty"` // of the last reply
	Payload string    `json:"payload,omitempty"`  // of the last reply; empty: not made yet
	Sent    bool      `json:"sent,omitempty"`     // it was sent
	Ended   time.Time `json:"ended,omitzero"`
	Updater string    `json:"updater"` // version of the program that wrote it
}

// Package is a version whose archive is unpacked on this machine.
type Package struct {
	Version string `json:"version"`
	Packing string `json:"packing"`
	Folder  string `json:"folder"` // below the update root
	File    string `json:"file"`   // the package in it; empty: its script does all
	SHA256  string `json:"sha256"` // of that file, or of the script
}

// States and results (docs/protocol/update.md, "State machine").
const (
	notStarted  = "NotStarted"
	initialized = "Initialized"
	staged      = "Staged"
	installed   = "Installed"
	rollback    = "Rollback"
	rolledBack  = "RolledBack"
	completed   = "Completed"

	inProgress = "InProgress"
	success    = "Success"
	failedWord = "Failed"
)

func recordFile(l installer.Layout) string {
	return filepath.Join(l.Own(installer.OwnTakeover), "record")
}

// ReadRecord reads what is under way; nil: nothing is.
func ReadRecord(l installer.Layout) (*Record, error) {
	text, err := os.ReadFile(recordFile(l))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	r := &Record{}
	if err == nil {
		err = json.Unmarshal(text, r)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", recordFile(l), err)
	}
	return r, nil
}

// save writes the record, whole and synced.
func (w *work) save() error {
	w.r.Updater = stamp.Version()
	text, err := json.MarshalIndent(w.r, "", "  ")
	if err != nil {
		return err
	}
	return host.WriteFile(recordFile(w.Layout), append(text, '\n'), 0o600)
}

// dropRecord removes the record for good.
func dropRecord(l installer.Layout) error {
	if err := os.Remove(recordFile(l)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return host.SyncDir(l.Own(installer.OwnTakeover))
}
