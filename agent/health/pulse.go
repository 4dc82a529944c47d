package health

import (
	"sync"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
)

// Pulse keeps the pulse file of the running agent. It is safe for concurrent use.
type Pulse struct {
	path string
	now  func() time.Time

	mu sync.Mutex
	p  installer.Pulse
}

// NewPulse begins the pulse of a process: p says who it is (PID, version, hash, sequence, …). The first beat makes the file.
func NewPulse(path string, p installer.Pulse, now func() time.Time) *Pulse {
	return &Pulse{path: path, p: p, now: now}
}

// Beat counts one and writes the file.
func (w *Pulse) Beat() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.p.Beats++
	w.p.At = w.now()
	return installer.WritePulse(w.path, w.p)
}

// Done takes the outcome of a round trip with the region, a ping or a poll. One that went through is written within a second
// (the updater waits for it), and takes the last fault away; a fault waits for the next beat.
func (w *Pulse) Done(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.p.LastFault = err.Error()
		return
	}
	before := w.p.LastRoundTrip
	w.p.LastRoundTrip, w.p.LastFault = w.now(), ""
	if w.p.LastRoundTrip.Sub(before) >= time.Second && w.p.Beats > 0 {
		_ = installer.WritePulse(w.path, w.p) // the next beat says what is wrong with the file
	}
}

// Known takes the node's id, once it is known.
func (w *Pulse) Known(instanceID string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.p.InstanceID = instanceID
}

// Program takes the hash of the running program, once it is known.
func (w *Pulse) Program(hash string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.p.Hash = hash
}
