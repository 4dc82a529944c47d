package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// record is the file <data>/install: what an installation set out to do, written before it acts. Without Done the
// installation was interrupted, and the next run goes on with it; Before says what undoing must leave.
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

// before is what was there when the installation began.
type before struct {
	Agent  bool   `json:"agent"`            // an agent of ours
	Root   bool   `json:"root"`             // the folder --root names
	Data   bool   `json:"data"`             // <data> with more in it than this record
	Logs   bool   `json:"logs"`             //
	Config []byte `json:"config,omitempty"` // the settings file; nil: there was none
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

// lookBefore notes what is there. It is called before anything, the lock included, is made.
func lookBefore(l installer.Layout) (before, error) {
	b := before{Root: l.System() || exists(l.Root), Data: exists(l.Data()), Logs: exists(l.Logs())}
	floor, err := floorOf(l)
	if err != nil {
		return b, err
	}
	b.Agent = !floor.IsZero()
	b.Config, err = os.ReadFile(l.ConfigFile())
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return b, err
}
