package installer

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"time"
)

// PulseSize is the size of the pulse file in bytes; it never changes.
const PulseSize = 1024

// Pulse is the running agent's sign of life, for people and for the updater; the launcher never reads it.
type Pulse struct {
	PID           int       `json:"pid"`
	Started       time.Time `json:"started"`
	Version       string    `json:"version"`
	Hash          string    `json:"hash"`     // SHA-256 of the agent's own program, hex
	Sequence      uint64    `json:"sequence"` // of the pointer it was started under
	Beats         uint64    `json:"beats"`    // since its start
	At            time.Time `json:"at"`       // of the last beat
	LastRoundTrip time.Time `json:"last_round_trip"`
	LastFault     string    `json:"last_fault"` // cut to 200 bytes
	InstanceID    string    `json:"instance_id"`
	BootID        string    `json:"boot_id"`

	// Agents from 9.2 on say the following, too; of an earlier one Lanes is nil.
	LastPing time.Time       `json:"last_ping,omitzero"`
	Lanes    map[string]Lane `json:"lanes"` // by name: how the ways that commands come by answer
}

// Lane is what an agent knows of a way that commands come by.
type Lane struct {
	Answered time.Time `json:"answered,omitzero"` // when its service answered last
	Denied   bool      `json:"denied,omitempty"`  // the service says that this node may not use it
}

// ErrPulse says that the pulse file does not hold a whole pulse.
var ErrPulse = errors.New("no whole pulse in the file")

const longestFault = 200

// WritePulse overwrites the file in place: no new block is needed and no reader finds it missing. It is not synced; a pulse from
// before a power cut means nothing.
func WritePulse(path string, p Pulse) error {
	if len(p.LastFault) > longestFault {
		p.LastFault = strings.ToValidUTF8(p.LastFault[:longestFault], "")
	}
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if len(text) >= PulseSize { // control characters in a fault grow sixfold in JSON
		p.LastFault = ""
		if text, err = json.Marshal(p); err != nil {
			return err
		}
	}
	if len(text) >= PulseSize {
		return ErrPulse
	}
	text = append(text, strings.Repeat(" ", PulseSize-1-len(text))+"\n"...)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(text, 0)
	return errors.Join(err, f.Close())
}

// ReadPulse reads the file, again when it met a write half done. Content that is no pulse is [ErrPulse].
func ReadPulse(path string) (Pulse, error) {
	for range 5 {
		b, err := os.ReadFile(path)
		if err != nil {
			return Pulse{}, err
		}
		var p Pulse
		if len(b) == PulseSize && json.Unmarshal(b, &p) == nil {
			return p, nil
		}
		time.Sleep(2 * time.Millisecond)
	}
	return Pulse{}, ErrPulse
}
