package setup

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// record is the file <data>/install: what an installation set out to do, written before it acts. Without Done the installation was
// interrupted, and the next run goes on with it; Before says what undoing must leave.
type record struct {
	Version  manifests.Version `json:"version"`
	Format   string            `json:"format"` // deb, rpm, tar
	Region   string            `json:"region"`
	Endpoint string            `json:"endpoint,omitempty"`
	Began    time.Time         `json:"began"`
	Done     time.Time         `json:"done,omitzero"`
	Setup    string            `json:"setup"` // version of this program
	Before   before            `json:"before"`
}

func recordFile(l installer.Layout) string { return filepath.Join(l.Data(), "install") }

// readRecord returns the record; a zero one where there is none or it cannot be understood.
func readRecord(l installer.Layout) record {
	var r record
	text, err := os.ReadFile(recordFile(l))
	if err != nil || json.Unmarshal(text, &r) != nil {
		return record{}
	}
	return r
}

// writeRecord makes the folder and writes the record, whole or not at all.
func writeRecord(l installer.Layout, r record) error {
	r.Setup = stamp.Version()
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(l.Data(), 0o755); err != nil {
		return err
	}
	return host.WriteFile(recordFile(l), append(text, '\n'), 0o600)
}

// writeRecord writes down what is about to be done, before it is done.
func (r *run) writeRecord() error {
	r.record = record{Version: r.offer.Version, Format: r.way.Name, Region: r.Region, Endpoint: r.Endpoint, Began: time.Now().UTC(),
		Before: r.before}
	return writeRecord(r.Layout, r.record)
}

// dropRecord leaves nothing of an installation that did not come to be; prune does the rest.
func (r *run) dropRecord() {
	os.Remove(recordFile(r.Layout))
	if !r.before.Agent {
		os.RemoveAll(r.Download())
	}
}
