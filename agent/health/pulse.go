package health

import (
	"sync"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/installer"
)

// Pulse keeps the pulse file of the running agent. It is safe for concurrent use.
type Pulse struct {
	path string
	now  func() time.Time

	mu sync.Mutex
	p  installer.Pulse
}

// NewPulse begins the pulse of a process: p says who it is (PID, version, hash, sequence, …), lanes are the ways that commands come by to
// this version. The first beat makes the file.
func NewPulse(path string, p installer.Pulse, now func() time.Time, lanes ...string) *Pulse {
	p.Lanes = map[string]installer.Lane{}
	for _, name := range lanes {
		p.Lanes[name] = installer.Lane{}
	}
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

// Pinged takes the outcome of a ping, see [Pulse.Answered].
func (w *Pulse) Pinged(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.p.LastPing
	if err == nil {
		w.p.LastPing = w.now()
	}
	w.done(err, before)
}

// Answered takes the outcome of a call on a lane. One that went through is written within a second (the updater waits for it), and takes
// the last fault away; a fault waits for the next beat.
func (w *Pulse) Answered(lane string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := w.p.Lanes[lane]
	before := l.Answered
	switch {
	case err == nil:
		l = installer.Lane{Answered: w.now()}
	case cloud.Timeout(err): // a long poll that was held to its end, as where no command waits: no round trip, and no fault
		w.p.Lanes[lane] = installer.Lane{Answered: w.now()}
		return
	case denied(err):
		l.Denied = true
	}
	w.p.Lanes[lane] = l
	w.done(err, before)
}

// done is the part of a ping and of a poll that is alike; before is when the last one of its sort went through.
func (w *Pulse) done(err error, before time.Time) {
	if err != nil {
		w.p.LastFault = err.Error()
		return
	}
	w.p.LastRoundTrip, w.p.LastFault = w.now(), ""
	if w.p.LastRoundTrip.Sub(before) >= time.Second && w.p.Beats > 0 {
		_ = installer.WritePulse(w.path, w.p) // the next beat says what is wrong with the file
	}
}

// denied tells a service that this node may not use from one that fails.
func denied(err error) bool {
	switch cloud.Code(err) {
	case "AccessDeniedException", "AccessDenied":
		return true
	}
	return false
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
