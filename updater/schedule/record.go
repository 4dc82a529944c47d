package schedule

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// Record is what a host keeps of its looks. Members are only ever added.
type Record struct {
	Source   string            `json:"source"` // address of the manifest
	Follow   string            `json:"follow"` // latest or stable
	Next     time.Time         `json:"next"`   // when it looks next
	Looked   time.Time         `json:"looked,omitzero"`
	Code     string            `json:"code,omitempty"` // what came of that, see the codes
	Note     string            `json:"note,omitempty"` // why the host's policy does not allow it, for people
	Fault    string            `json:"fault,omitempty"`
	Failures int               `json:"failures,omitempty"` // in a row
	Trust    string            `json:"trust,omitempty"`    // why the source is believed, for people
	Seen     Seen              `json:"seen"`
	Tags     map[string]string `json:"tags,omitempty"` // of what was read, by key
}

// Seen is what a source says by now.
type Seen struct {
	Version manifests.Version `json:"version,omitzero"`
	Percent int               `json:"percent"` // of hosts that the version is for
	Halted  bool              `json:"halted,omitempty"`
	Reason  string            `json:"reason,omitempty"` // of the halt

	Published time.Time `json:"published,omitzero"` // when the version was

	// Of a signed source only: Go is where hosts that run For are sent, since the region has withdrawn that; zero: nowhere.
	For manifests.Version `json:"for,omitzero"`
	Go  manifests.Version `json:"go,omitzero"`
}

// Rescue is where a host that runs a version is sent, since the source has withdrawn that; false: nowhere.
func (s Seen) Rescue(running manifests.Version) (manifests.Version, bool) {
	return s.Go, !s.Go.IsZero() && s.For == running
}

// maxRecord bounds the file, in bytes.
const maxRecord = 64 << 10

// File is where an installation's record lies.
func File(l installer.Layout) string { return filepath.Join(l.Data(), "schedule") }

// Read reads the record of an installation. Without one, or where it is damaged, it is empty: the host looks anew.
func Read(l installer.Layout) (r Record) {
	if info, err := os.Stat(File(l)); err != nil || info.Size() > maxRecord {
		return Record{}
	}
	text, err := os.ReadFile(File(l))
	if err != nil || json.Unmarshal(text, &r) != nil {
		return Record{}
	}
	return r
}

// Save writes the record.
func (r Record) Save(l installer.Layout) error {
	text, err := json.Marshal(r)
	if err == nil {
		err = os.MkdirAll(l.Data(), 0o755)
	}
	if err != nil {
		return err
	}
	return host.WriteFile(File(l), append(text, '\n'), 0o644)
}

// Drop removes the record of an installation that follows nothing.
func Drop(l installer.Layout) error {
	if err := os.Remove(File(l)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Due sets the next look where there is none yet, where the record is of another source, and where the clock was put back.
func (r *Record) Due(id, source, follow string, period time.Duration, now time.Time) {
	if r.Source != source || r.Follow != follow {
		*r = Record{Source: source, Follow: follow}
	}
	if r.Next.IsZero() || r.Next.After(now.Add(max(2*period, longestPause*3/2))) {
		r.Next = Next(Phase(id, period), period, now) // a host that was just installed has the newest version
	}
}

// Region is a source as functions.
type Region struct {
	// Changed reads a small file, unless it still has the tag; see [bucket.Client.IfChanged].
	Changed func(ctx context.Context, key string, limit int64, tag string) (bucket.Fresh, error)
	// Small reads one whole, verified where this host has a root.
	Small  func(ctx context.Context, key string, limit int64) ([]byte, error)
	Signed bool // this host has a root
}

// timestampKey is the file of a signed source that changes with each of the others; [Region.Small] verifies it with them.
const (
	timestampKey = "trust/timestamp.json"
	maxTimestamp = 64 << 10
)

// Look reads what the source says by now. A host that waits for nothing asks for one file.
func (r *Record) Look(ctx context.Context, from Region, running manifests.Version) error {
	key := regions.LatestVersionKey
	if r.Follow == Stable {
		key = regions.StableVersionKey
	}
	asks := map[string]int64{key: manifests.MaxVersionFile}
	switch {
	case from.Signed:
		asks = map[string]int64{timestampKey: maxTimestamp}
	case running.Less(r.Seen.Version):
		asks[regions.IndexKey] = manifests.MaxIndex
	}
	tags, news := map[string]string{}, false
	for ask, limit := range asks {
		f, err := from.Changed(ctx, ask, limit, r.Tags[ask])
		if missing(err) && ask != timestampKey { // who has a root does not do without what is signed
			_, had := r.Tags[ask]
			news = news || had
			continue
		}
		if err != nil {
			return err
		}
		tags[ask], news = f.Tag, news || f.Changed
	}
	if !news && (!from.Signed || r.Seen.For == running) { // what was withdrawn is noted for the version that ran then
		return nil
	}
	seen, err := from.read(ctx, key, running)
	if err != nil {
		return err
	}
	r.Seen, r.Tags = seen, tags
	return nil
}

// read reads VERSION and index: the index last, as publishing writes it first.
func (from Region) read(ctx context.Context, key string, running manifests.Version) (s Seen, err error) {
	if from.Signed {
		s.For = running
	}
	text, err := from.Small(ctx, key, manifests.MaxVersionFile)
	if from.lacks(err) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	if s.Version, err = manifests.ParseVersionFile(text); err != nil {
		return s, err
	}
	var x *manifests.Index
	text, err = from.Small(ctx, regions.IndexKey, manifests.MaxIndex)
	if err == nil {
		x, err = manifests.ParseIndex(text)
	} else if from.lacks(err) {
		err = nil
	}
	if err != nil {
		return s, err
	}
	rollout := x.Rollout(s.Version)
	s.Percent, s.Published = rollout.Share(), rollout.Published
	if x != nil && x.Halted != nil {
		s.Halted, s.Reason = true, x.Halted.Reason
	}
	if w, withdrawn := x.Replacement(running); withdrawn && from.Signed {
		s.Go = w.Go
	}
	return s, nil
}

// lacks tells that a source has no such file. One that is signed and left out is a failure: without its index a halt would be lifted.
func (from Region) lacks(err error) bool {
	if from.Signed {
		return errors.Is(err, bucket.ErrNotSigned)
	}
	return missing(err)
}

func missing(err error) bool {
	return errors.Is(err, bucket.ErrMissing) || errors.Is(err, bucket.ErrDenied) || errors.Is(err, bucket.ErrNotSigned)
}

// Ended notes what came of a look, and sets the next one. after is the region's Retry-After.
func (r *Record) Ended(id, code string, cause error, after, period time.Duration, now time.Time) {
	r.Looked, r.Code, r.Fault, r.Note = now.UTC().Truncate(time.Second), code, "", ""
	if cause == nil {
		r.Failures, r.Next = 0, Next(Phase(id, period), period, now)
		return
	}
	r.Failures++
	r.Fault, r.Next = cause.Error(), Retry(id, r.Failures, after, period, now)
}

// Withheld notes that the host's own policy does not allow what was seen. Where that allows it before the next look, the host looks then,
// within a quarter of an hour, or while its window is open: hosts with the same hours do not come together.
func (r *Record) Withheld(id, code, note string, until time.Time, hours Hours, period time.Duration, now time.Time) {
	r.Ended(id, code, nil, 0, period, now)
	r.Note = note
	soon := until.Add(part(number("window", id), min(period, firstPause)))
	if hours != nil {
		if opens, closes := hours(until); !opens.IsZero() {
			soon = inside(id, later(opens, until), closes)
		}
	}
	if until.After(now) && soon.Before(r.Next) {
		r.Next = soon
	}
}
