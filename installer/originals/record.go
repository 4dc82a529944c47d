package originals

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// Names in the folder of this room, installer.OwnOriginal.
const (
	recordName   = "record"
	packagesName = "packages"
	downloadName = "download"
)

// Record is the file of that name: all that is known from one command to the next. Members are only ever added.
type Record struct {
	Region string   `json:"region"`
	Source string   `json:"source"`           // as it was named; empty: Amazon's own bucket
	InUse  *Package `json:"in_use,omitempty"` // as this tool left it; the package manager says what is there now
	Before *Package `json:"before,omitempty"` // what a rollback goes back to
	Open   *Change  `json:"open,omitempty"`   // under way, or ended in the middle
	Last   *Outcome `json:"last,omitempty"`
	Setup  string   `json:"setup"` // version of the program that wrote it
}

// Change is a change under way.
type Change struct {
	Action   string    `json:"action"` // install, update, rollback, uninstall, to ours
	From     *Package  `json:"from,omitempty"`
	To       *Package  `json:"to,omitempty"`
	Steps    []string  `json:"steps"`          // in the order in which they were begun
	Back     bool      `json:"back,omitempty"` // it is being taken back
	Reason   string    `json:"reason,omitempty"`
	Settings []byte    `json:"settings,omitempty"` // the settings file before; nil: there was none
	Began    time.Time `json:"began"`
}

// begun tells whether a step was begun.
func (c *Change) begun(step string) bool { return slices.Contains(c.Steps, step) }

// Kinds of outcomes, by the words that an update of ours ends in, too.
const (
	Installed  = "installed"
	Updated    = "updated"
	WentBack   = "went-back"   // a rollback that was asked for
	RolledBack = "rolled-back" // the new version did not prove itself, or the change ended in the middle
	Failed     = "failed"      // nothing was changed
	NoPrevious = "no-previous" // nothing to go back to
)

// Outcome is how a change ended. Its members have the names of those of an update of ours.
type Outcome struct {
	Agent     Kind              `json:"agent"`
	Action    string            `json:"action"`
	Kind      string            `json:"kind"`
	Success   bool              `json:"success"`
	Code      string            `json:"code,omitempty"`
	From      manifests.Version `json:"from,omitzero"`
	Target    manifests.Version `json:"target,omitzero"`
	Running   manifests.Version `json:"running,omitzero"` // after it
	Region    string            `json:"region,omitempty"`
	Source    string            `json:"source,omitempty"`
	Signature string            `json:"signature,omitempty"`
	Confirmed bool              `json:"confirmed_by_service,omitempty"`
	Lines     []string          `json:"lines,omitempty"` // the original's words
	Detail    string            `json:"detail,omitempty"`
	Newer     manifests.Version `json:"newer_elsewhere,omitzero"` // see manifests.Decision
	Hints     []string          `json:"hints,omitempty"`
	Reason    string            `json:"reason,omitempty"`
	Started   time.Time         `json:"started"`
	Ended     time.Time         `json:"ended,omitzero"`
}

func (a *Agent) recordFile() string {
	return filepath.Join(a.Layout.Own(installer.OwnOriginal), recordName)
}

// ReadRecord returns the record, a zero one where there is none.
func (a *Agent) ReadRecord() (Record, error) {
	var r Record
	text, err := os.ReadFile(a.recordFile())
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		return r, fmt.Errorf("%s: %w", a.recordFile(), err)
	}
	return r, nil
}

func (a *Agent) writeRecord(r *Record) error {
	r.Setup = stamp.Version()
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return host.WriteFile(a.recordFile(), append(text, '\n'), 0o600)
}

// collect removes the packages that the record does not name, and what is left of downloads.
func (a *Agent) collect(r *Record) {
	var named []string
	add := func(list ...*Package) {
		for _, p := range list {
			if p != nil {
				named = append(named, filepath.Base(p.File))
			}
		}
	}
	add(r.InUse, r.Before)
	if r.Open != nil {
		add(r.Open.From, r.Open.To)
	}
	dir := filepath.Join(a.Layout.Own(installer.OwnOriginal), packagesName)
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if !slices.Contains(named, e.Name()) {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
	downloads := filepath.Join(a.Layout.Own(installer.OwnOriginal), downloadName)
	entries, _ = os.ReadDir(downloads)
	for _, e := range entries {
		os.RemoveAll(filepath.Join(downloads, e.Name()))
	}
}
