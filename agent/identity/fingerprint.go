package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// DefaultThreshold is the percentage of equal hardware values that a changed machine needs; NoThreshold switches the check off
// (docs/protocol/identity.md, "Hardware fingerprint").
const (
	DefaultThreshold = 40
	NoThreshold      = -1
)

// Keys of the hardware map that count more than others. hardwareID is set per system: machine-id or uuid.
const ipAddress = "ipaddress-info"

// hardware maps the fixed keys of docs/protocol/identity.md, "Fingerprint attributes" to values; a source that fails has the empty text.
type hardware map[string]string

// fingerprint is the record as the vault keeps it.
type fingerprint struct {
	Fingerprint         string   `json:"fingerprint"` // UUID, lower case
	HardwareHash        hardware `json:"hardwareHash"`
	SimilarityThreshold int      `json:"similarityThreshold"`
}

// similar compares the machine as it is with the machine as it was (docs/protocol/identity.md, "Fingerprint comparison").
func similar(current, saved hardware, threshold int) bool {
	switch {
	case threshold == NoThreshold:
		return true
	case len(saved) == 0 || len(current) == 0:
		return false
	case current[hardwareID] != saved[hardwareID]:
		return false
	case current[ipAddress] == saved[ipAddress]:
		return true
	}
	equal := 0
	for key, value := range current {
		if saved[key] == value {
			equal++
		}
	}
	return 100*float32(equal)/float32(len(current)) >= float32(threshold)
}

// prober looks at the machine: quick takes no programs, only what decides alone (hardware id and address); full runs them all
// at once. An error of full names sources that did not answer in time; the map is complete even then.
type prober struct {
	quick func() hardware
	full  func(context.Context) (hardware, error)
}

// fingerprints computes the fingerprint, once per process.
type fingerprints struct {
	vault vault
	probe prober
	log   *slog.Logger
	pause func(context.Context, time.Duration) error

	mu    sync.Mutex
	known string
}

// The third try decides; 5 s lie between two.
const (
	fingerprintTries = 3
	fingerprintPause = 5 * time.Second
)

// stored reads the record: false when there is none. A record that cannot be read is an error, so that a passing fault does
// not cost the registration (the original takes it for "none").
func (f *fingerprints) stored() (fingerprint, bool, error) {
	var p fingerprint
	err := f.vault.read(fingerprintKey, &p)
	if errors.Is(err, errNoEntry) {
		return fingerprint{}, false, nil
	}
	return p, p.Fingerprint != "", err
}

// get is the fingerprint to show to the service. A machine that changed beyond the threshold gets a new one, stored, after
// three looks; the service will refuse it, which is the purpose. Errors pass: call again.
func (f *fingerprints) get(ctx context.Context) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.known != "" {
		return f.known, nil
	}
	var last error
	for n := range fingerprintTries {
		if n > 0 {
			if err := f.pause(ctx, fingerprintPause); err != nil {
				return "", err
			}
		}
		saved, found, err := f.stored()
		if err != nil {
			f.log.Error("Cannot connect to AWS Systems Manager.  The saved machine configuration could not be loaded or the "+
				"current machine configuration could not be determined.", "error", err)
			last = err
			continue
		}
		current, same, err := f.compare(ctx, saved, found)
		switch {
		case same:
			f.known = saved.Fingerprint
			return f.known, nil
		case err == nil && !found:
			f.log.Info("No initial fingerprint detected, generating fingerprint file...")
			return f.store(newFingerprint(current, DefaultThreshold))
		case err == nil && n == fingerprintTries-1:
			f.log.Info("Calculated hardware difference, regenerating fingerprint...")
			return f.store(newFingerprint(current, saved.SimilarityThreshold))
		}
		if last = err; err == nil {
			f.complain(current, saved.HardwareHash)
		}
	}
	return "", fmt.Errorf("error generating instance fingerprint. %w", last)
}

// compare compares, the cheap way where that is enough: hardware id and address equal, or no threshold, means similar whatever
// the programs would say. Sources that did not answer in time count as failed on a machine without a record; else they leave
// the question open (an error).
func (f *fingerprints) compare(ctx context.Context, saved fingerprint, found bool) (current hardware, same bool, err error) {
	if found && decides(f.probe.quick(), saved.HardwareHash, saved.SimilarityThreshold) {
		return nil, true, nil
	}
	current, late := f.probe.full(ctx)
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	for key, value := range current {
		if !utf8.ValidString(value) {
			return nil, false, fmt.Errorf("Hardware hash generated contains invalid characters. %s: %q", //nolint:staticcheck // the original's words
				key, value)
		}
	}
	if !found {
		return current, false, nil
	}
	same = similar(current, saved.HardwareHash, saved.SimilarityThreshold)
	if !same && late != nil {
		return nil, false, late
	}
	return current, same, nil
}

// decides tells whether the rules before the count already say "similar".
func decides(quick, saved hardware, threshold int) bool {
	return threshold == NoThreshold ||
		(len(saved) > 0 && quick[hardwareID] == saved[hardwareID] && quick[ipAddress] == saved[ipAddress])
}

func (f *fingerprints) store(p fingerprint) (string, error) {
	if err := f.vault.write(fingerprintKey, p); err != nil {
		return "", fmt.Errorf("error generating instance fingerprint. %w", err)
	}
	f.known = p.Fingerprint
	return f.known, nil
}

func newFingerprint(current hardware, threshold int) fingerprint {
	return fingerprint{Fingerprint: host.NewUUID(), HardwareHash: current, SimilarityThreshold: threshold}
}

// complain says what changed, in the words people search for.
func (f *fingerprints) complain(current, saved hardware) {
	if current[hardwareID] != saved[hardwareID] {
		f.log.Error(fmt.Sprintf("Cannot connect to AWS Systems Manager.  The hardware ID (%s) has changed from the registered value (%s).",
			current[hardwareID], saved[hardwareID]))
		return
	}
	f.log.Error("Cannot connect to AWS Systems Manager.  Machine configuration has changed more than the allowed threshold.")
	for _, key := range slices.Sorted(maps.Keys(current)) {
		if current[key] != saved[key] {
			f.log.Warn(fmt.Sprintf("The '%s' value (%s) has changed from the registered machine configuration value (%s).",
				key, strings.TrimSpace(current[key]), strings.TrimSpace(saved[key])))
		}
	}
}

// errNoFingerprint is the original's answer to a threshold on a machine without a fingerprint.
var errNoFingerprint = errors.New("save called with empty fingerprint key")

// setThreshold stores n with the present fingerprint.
func (f *fingerprints) setThreshold(n int) error {
	if n != NoThreshold && (n < 1 || n > 100) {
		return fmt.Errorf("Invalid Similarity Threshold value of %d. "+ //nolint:staticcheck // the original's words
			"Value must be between 1 and 100 or -1 (check disabled)", n)
	}
	p, found, err := f.stored()
	if err == nil && !found {
		err = errNoFingerprint
	}
	if err != nil {
		return fmt.Errorf("Unable to set similarity threshold due to, %w", err) //nolint:staticcheck // the original's words
	}
	p.SimilarityThreshold = n
	return f.vault.write(fingerprintKey, p)
}

// MarshalJSON keeps "no hardware" as null, the form of a cleared record.
func (h hardware) MarshalJSON() ([]byte, error) {
	if len(h) == 0 {
		return []byte("null"), nil
	}
	return json.Marshal(map[string]string(h))
}
