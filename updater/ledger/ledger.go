package ledger

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Ledger is what is known about updates on this host: the one under way, the last one, and what they left to remember. Fields
// that this version does not know are kept.
type Ledger struct {
	Revision   uint64             `json:"revision"`              // grows with every write
	InstanceID string             `json:"instance_id,omitempty"` // whose answers are owed
	BootID     string             `json:"boot_id,omitempty"`     // in which Open.PID means something
	Open       *Update            `json:"open,omitempty"`        // the update under way
	Last       *Outcome           `json:"last_update,omitempty"` // of the last one that ended
	Confirmed  []ConfirmedVersion `json:"confirmed,omitempty"`   // versions that proved themselves here, newest last
	Skip       []Blocked          `json:"skip,omitempty"`
	Tried      []Tried            `json:"tried,omitempty"`    // versions whose trials ended without showing a fault of theirs, newest last
	Owed       []Owed             `json:"owed,omitempty"`     // answers not sent yet
	Accepted   []string           `json:"accepted,omitempty"` // message ids of commands taken, newest last

	extra map[string]json.RawMessage
}

// Bounds of the lists, so that the ledger always fits its slot.
const (
	mostConfirmed = 16
	mostBlocked   = 32
	mostOwed      = 6
	mostAccepted  = 48
)

// Update is one update under way.
type Update struct {
	ID       string    `json:"id"`
	Request  Request   `json:"request"`
	Stop     string    `json:"stop"`  // where it stands: ask, plan, fetch, verify, stage, switch, watch, finish
	Since    time.Time `json:"since"` // since when it stands there
	Moved    time.Time `json:"moved"` // last sign of life of the updater
	PID      int       `json:"pid"`   // the updater's, in the ledger's boot
	Updater  string    `json:"updater,omitempty"`
	Started  time.Time `json:"started"`
	Attempts int       `json:"attempts"` // updaters that worked on it so far

	Region       string            `json:"region,omitempty"`
	Source       string            `json:"source,omitempty"` // manifest URL
	Trust        Trust             `json:"trust,omitzero"`   // why the source is believed
	FromVersion  manifests.Version `json:"from,omitzero"`
	ToVersion    manifests.Version `json:"target,omitzero"`
	Newer        manifests.Version `json:"newer_elsewhere,omitzero"` // see manifests.Decision
	FromFloor    bool              `json:"from_floor,omitempty"`     // the target is the floor
	Known        bool              `json:"known,omitempty"`          // the target proved itself here before: no probation
	Package      Package           `json:"package,omitzero"`
	From         pointer.Target    `json:"left,omitzero"`   // what the pointer said before
	FromPrevious pointer.Target    `json:"before,omitzero"` // and what it called previous
	To           pointer.Target    `json:"to,omitzero"`     // what it is to say; known from stage on

	Registered   bool     `json:"registered,omitempty"` // before the switch: the host had a registration
	Reachable    bool     `json:"reachable,omitempty"`  // before the switch: the service answered
	Lanes        []string `json:"lanes,omitempty"`      // before the switch: ways that commands come by which answered
	FromSequence uint64   `json:"replaces,omitempty"`   // sequence of the pointer before
	Sequence     uint64   `json:"sequence,omitempty"`   // of the pointer that names the target; set before it is written
	OutOfReach   bool     `json:"deaf,omitempty"`       // in the watch: sound, but the service cannot be reached
	NextStart    bool     `json:"next_start,omitempty"` // in the watch: no launcher runs, the next one's start goes on

	Undoing   bool       `json:"undoing,omitempty"`
	Reason    string     `json:"reason,omitempty"`    // why it is undone, for people
	Code      string     `json:"code,omitempty"`      // and in the original's words
	Fault     fault.Kind `json:"fault,omitempty"`     // and for exit codes
	Blameless bool       `json:"blameless,omitempty"` // not to blame: killed from outside, or the machine's fault
	// HostFault: the machine's disk was in the way of the trial. That never counts against the version.
	HostFault bool `json:"host_fault,omitempty"`

	Lines []string `json:"lines,omitempty"` // texts of the reply so far
	Notes []string `json:"notes,omitempty"` // ours, below them

	Overrode string `json:"overrode,omitempty"` // see [Outcome.Overrode]

	Done  int64 `json:"done,omitempty"` // bytes of the download
	Total int64 `json:"total,omitempty"`

	extra map[string]json.RawMessage
}

// The stops of an update by name, in [Update.Stop].
const (
	StopAsk    = "ask"
	StopPlan   = "plan"
	StopFetch  = "fetch"
	StopVerify = "verify"
	StopStage  = "stage"
	StopSwitch = "switch"
	StopWatch  = "watch"
	StopFinish = "finish"
)

// Pending tells whether an update has not begun to switch: nothing of it is active, and ending it changes nothing on the host. A
// download that never ends must not hold a host, so a rollback, a removal and a newer request end such an update.
func (u *Update) Pending() bool {
	if u == nil || u.Undoing || u.Sequence != 0 {
		return false
	}
	return slices.Contains([]string{StopAsk, StopPlan, StopFetch, StopVerify, StopStage}, u.Stop)
}

// Package is the archive an update brings.
type Package struct {
	File   string        `json:"file,omitempty"`
	URL    string        `json:"url,omitempty"`
	SHA256 manifests.Sum `json:"sha256,omitzero"` // names files of the cache
	Size   int64         `json:"size,omitempty"`  // bytes; 0: the manifest does not say

	Unpacked int64 `json:"unpacked,omitempty"` // bytes of its files; 0: the manifest does not say

	Delta   *Delta `json:"delta,omitempty"`   // a small download in its place; nil: none serves here
	Fetched int64  `json:"fetched,omitempty"` // bytes that came over the network for it
	Seeded  string `json:"seeded,omitempty"`  // the file of this host that it was taken from
	Amiss   string `json:"amiss,omitempty"`   // why the small download did not serve
}

// Delta is a small download, and the program on this host that it starts from.
type Delta struct {
	File    string            `json:"file"`
	URL     string            `json:"url,omitempty"`
	SHA256  manifests.Sum     `json:"sha256"` // of the delta
	Size    int64             `json:"size"`   // bytes of the delta
	From    manifests.Version `json:"from"`
	Source  manifests.Sum     `json:"source"`  // of the program it starts from
	Program manifests.Sum     `json:"program"` // of the program it makes
	On      string            `json:"on"`      // where the program lies that it starts from
}

// Download says what came over the network for an update.
type Download struct {
	Bytes  int64             `json:"bytes"`            // fetched
	Saved  int64             `json:"saved_bytes"`      // less than the package has; 0 also where its size is not known
	From   manifests.Version `json:"delta,omitzero"`   // the version whose program a delta started from
	Seeded string            `json:"seeded,omitempty"` // the file of this host that the package was taken from
	Fault  string            `json:"fault,omitempty"`  // why a delta did not serve
}

// Download is what came over the network; nil where nothing was to be fetched.
func (p Package) Download() *Download {
	if p.Fetched == 0 && p.Seeded == "" {
		return nil
	}
	d := &Download{Bytes: p.Fetched, Saved: max(p.Size-p.Fetched, 0), Seeded: p.Seeded, Fault: p.Amiss}
	if p.Delta != nil && p.Amiss == "" && p.Seeded == "" {
		d.From = p.Delta.From
	}
	return d
}

// ConfirmedVersion is a version that proved itself on this host.
type ConfirmedVersion struct {
	Version manifests.Version `json:"version"`
	Hash    string            `json:"hash,omitempty"` // of its agent; empty for a floor
	At      time.Time         `json:"at"`
}

type plainLedger Ledger

// MarshalJSON adds the unknown fields.
func (l Ledger) MarshalJSON() ([]byte, error) { return withExtra(plainLedger(l), l.extra) }

// UnmarshalJSON keeps the unknown fields.
func (l *Ledger) UnmarshalJSON(b []byte) (err error) {
	if err = json.Unmarshal(b, (*plainLedger)(l)); err == nil {
		l.extra, err = unknown(b, reflect.TypeFor[Ledger]())
	}
	return err
}

type plainUpdate Update

// MarshalJSON adds the unknown fields.
func (u Update) MarshalJSON() ([]byte, error) { return withExtra(plainUpdate(u), u.extra) }

// UnmarshalJSON keeps the unknown fields.
func (u *Update) UnmarshalJSON(b []byte) (err error) {
	if err = json.Unmarshal(b, (*plainUpdate)(u)); err == nil {
		u.extra, err = unknown(b, reflect.TypeFor[Update]())
	}
	return err
}

func withExtra(v any, extra map[string]json.RawMessage) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil || len(extra) == 0 {
		return b, err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, err
	}
	for k, x := range extra {
		all[k] = x
	}
	return json.Marshal(all)
}

// unknown are the fields of b that the type does not name.
func unknown(b []byte, t reflect.Type) (map[string]json.RawMessage, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, err
	}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		delete(all, name)
	}
	if len(all) == 0 {
		return nil, nil
	}
	return all, nil
}

// keepLast cuts a list to its newest n.
func keepLast[T any](list []T, n int) []T {
	if len(list) > n {
		list = list[len(list)-n:]
	}
	return list
}

// NoteConfirmed notes that a version proved itself.
func (l *Ledger) NoteConfirmed(v manifests.Version, hash string, now time.Time) {
	for i, s := range l.Confirmed {
		if s.Version == v && s.Hash == hash {
			l.Confirmed = append(l.Confirmed[:i:i], l.Confirmed[i+1:]...)
			break
		}
	}
	l.Confirmed = keepLast(append(l.Confirmed, ConfirmedVersion{v, hash, now}), mostConfirmed)
}

// HasConfirmed tells whether a version proved itself here before.
func (l *Ledger) HasConfirmed(v manifests.Version, hash string) bool {
	for _, s := range l.Confirmed {
		if s.Version == v && s.Hash == hash {
			return true
		}
	}
	return false
}

// HasAccepted tells whether the command that a request comes from was taken before.
func (l *Ledger) HasAccepted(r Request) bool {
	return r.ReplyTo != nil && slices.Contains(l.Accepted, r.ReplyTo.MessageID)
}

// NoteAccepted notes a command's message id; false when it is there already.
func (l *Ledger) NoteAccepted(message string) bool {
	for _, m := range l.Accepted {
		if m == message {
			return false
		}
	}
	l.Accepted = keepLast(append(l.Accepted, message), mostAccepted)
	return true
}

// LongestReason is how long [Update.Reason] may be, in bytes, so that the ledger fits its slot.
const LongestReason = 1500

// Cut shortens a text to at most n bytes.
func Cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "") + "…"
}

// NoteOwed notes an answer that is to be sent.
func (l *Ledger) NoteOwed(o Owed) { l.Owed = keepLast(append(l.Owed, o), mostOwed) }
