package manifests

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// ErrIndex says that an index cannot be used.
var ErrIndex = fault.New(fault.Region, "not a usable index",
	"the region's ssm-setup-index.json is damaged, or a proxy answers in its place; scheduled updates wait for a sound one")

// Bounds of an index. One beyond them is [ErrIndex].
const (
	MaxIndex          = 1 << 20 // bytes
	MaxIndexVersions  = 10000
	MaxIndexWithdrawn = 1000
	indexSchema       = 1
)

// Index is what a region says about its releases beyond the manifest: ssm-setup-index.json at the root of the bucket. A region
// without one says nothing of it: every version is for all hosts, nothing is halted. Members that this program does not know are
// kept when it is written again.
type Index struct {
	Schema    int                `json:"schema"`
	Versions  map[string]Rollout `json:"versions,omitempty"`  // by version text; see [Index.Rollout]
	Halted    *Halt              `json:"halted,omitempty"`    // nil: not halted
	Withdrawn []Withdrawal       `json:"withdrawn,omitempty"` // counts only where the index was verified
	Floor     Version            `json:"floor,omitzero"`      // no host goes below it; counts only where the index was verified
	Minimum   *Minimum           `json:"minimum,omitempty"`
	other     members
}

// Rollout is what an index says about one version.
type Rollout struct {
	Published time.Time `json:"published,omitzero"` // zero: not told
	Percent   *int      `json:"percent,omitempty"`  // of the hosts that follow the region by schedule, 0 to 100; nil: all
	other     members
}

// Halt stops scheduled updates. A person's update goes on.
type Halt struct {
	Since  time.Time `json:"since,omitzero"`
	Reason string    `json:"reason,omitempty"`
	other  members
}

// Withdrawal sends hosts that run From to To, both included, to Go.
type Withdrawal struct {
	From   Version `json:"from"`
	To     Version `json:"to"`
	Go     Version `json:"go"`
	Reason string  `json:"reason,omitempty"`
	other  members
}

// Minimum is the oldest updater and launcher that may install this region's newest versions; zero: any.
type Minimum struct {
	Updater  Version `json:"updater,omitzero"`
	Launcher Version `json:"launcher,omitzero"`
	other    members
}

// NewIndex is an index that says nothing.
func NewIndex() *Index { return &Index{Schema: indexSchema} }

// ParseIndex reads an index. A page, cut-off JSON, a newer schema, or a value out of its bounds is [ErrIndex].
func ParseIndex(content []byte) (*Index, error) {
	content = bytes.TrimSpace(bytes.TrimPrefix(content, []byte("\uFEFF")))
	switch {
	case len(content) > MaxIndex:
		return nil, fmt.Errorf("%w: it has %d bytes, at most %d expected", ErrIndex, len(content), MaxIndex)
	case len(content) == 0 || content[0] != '{':
		return nil, fmt.Errorf("%w: it is no JSON object (a proxy or login page?)", ErrIndex)
	}
	var x Index
	if err := json.Unmarshal(content, &x); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIndex, err)
	}
	return &x, x.check()
}

func (x *Index) check() error {
	switch {
	case x.Schema != indexSchema:
		return fmt.Errorf("%w: schema %d, only %d is known here", ErrIndex, x.Schema, indexSchema)
	case len(x.Versions) > MaxIndexVersions:
		return fmt.Errorf("%w: %d versions, at most %d expected", ErrIndex, len(x.Versions), MaxIndexVersions)
	case len(x.Withdrawn) > MaxIndexWithdrawn:
		return fmt.Errorf("%w: %d withdrawals, at most %d expected", ErrIndex, len(x.Withdrawn), MaxIndexWithdrawn)
	}
	for text, r := range x.Versions {
		if r.Percent != nil && (*r.Percent < 0 || *r.Percent > 100) {
			return fmt.Errorf("%w: %d percent of hosts for version %s", ErrIndex, *r.Percent, excerpt(text))
		}
	}
	for _, w := range x.Withdrawn {
		if err := w.Check(); err != nil {
			return fmt.Errorf("%w: %w", ErrIndex, err)
		}
	}
	return nil
}

// Check tells what is wrong with a withdrawal: a version is missing, From is above To, or Go lies between them. The fault is
// [ErrVersion].
func (w Withdrawal) Check() error {
	switch {
	case !w.From.set || !w.To.set || !w.Go.set:
		return fmt.Errorf("%w: a withdrawal names three: from, to, go", ErrVersion)
	case w.To.Less(w.From):
		return fmt.Errorf("%w: withdrawn from %s to %s, which is older", ErrVersion, w.From, w.To)
	case w.Covers(w.Go):
		return fmt.Errorf("%w: withdrawn from %s to %s, and %s is one of them", ErrVersion, w.From, w.To, w.Go)
	}
	return nil
}

// Covers tells whether a version is one of the withdrawn.
func (w Withdrawal) Covers(v Version) bool { return v.set && !v.Less(w.From) && !w.To.Less(v) }

// Replacement is the withdrawal that covers a version; the last one counts.
func (x *Index) Replacement(v Version) (Withdrawal, bool) {
	if x == nil {
		return Withdrawal{}, false
	}
	for i := len(x.Withdrawn) - 1; i >= 0; i-- {
		if w := x.Withdrawn[i]; w.Covers(v) {
			return w, true
		}
	}
	return Withdrawal{}, false
}

// Withdraw adds a withdrawal, in place of one of the same versions.
func (x *Index) Withdraw(w Withdrawal) {
	x.Withdrawn = slices.DeleteFunc(x.Withdrawn, func(old Withdrawal) bool { return old.From == w.From && old.To == w.To })
	x.Withdrawn = append(x.Withdrawn, w)
}

// Rollout is what the index says about a version; the zero value for one it does not name. A nil index names none.
func (x *Index) Rollout(v Version) Rollout {
	if x == nil {
		return Rollout{}
	}
	if r, ok := x.Versions[v.String()]; ok {
		return r
	}
	for text, r := range x.Versions {
		if v.set && parsed(text) == v {
			return r
		}
	}
	return Rollout{}
}

// Share is the percentage of hosts that a version is for, 0 to 100.
func (r Rollout) Share() int {
	if r.Percent == nil {
		return 100
	}
	return *r.Percent
}

// SetRollout says something about a version, in place of what was said.
func (x *Index) SetRollout(v Version, r Rollout) {
	maps.DeleteFunc(x.Versions, func(text string, _ Rollout) bool { return parsed(text) == v })
	if x.Versions == nil {
		x.Versions = map[string]Rollout{}
	}
	x.Versions[v.String()] = r
}

// SetShare says which percentage of hosts a version is for, 0 to 100.
func (x *Index) SetShare(v Version, percent int) {
	r := x.Rollout(v)
	if r.Percent = &percent; percent == 100 {
		r.Percent = nil
	}
	x.SetRollout(v, r)
}

// Follow takes over what another region's index says: of the versions named, where it says something, and of all hosts.
func (x *Index) Follow(other *Index, versions []Version) {
	for _, v := range versions {
		if r := other.Rollout(v); !r.Published.IsZero() || r.Percent != nil {
			x.SetRollout(v, r)
		}
	}
	x.Halted, x.Withdrawn, x.Floor, x.Minimum = other.Halted, other.Withdrawn, other.Floor, other.Minimum
}

// Publish notes when a version was published, unless that is known.
func (x *Index) Publish(v Version, at time.Time) {
	if r := x.Rollout(v); r.Published.IsZero() {
		r.Published = at.UTC().Truncate(time.Second)
		x.SetRollout(v, r)
	}
}

// Bytes is the index as a file: indented JSON, members in the order of their names.
func (x *Index) Bytes() []byte {
	b, err := json.MarshalIndent(x, "", "  ")
	if err != nil {
		panic(err) // strings, numbers, times of four-digit years, and JSON that was read
	}
	return append(b, '\n')
}

// members are those of a JSON object that this program does not know.
type members map[string]json.RawMessage

// keep reads an object and returns the members that its type does not have.
func keep(b []byte, plain any) (members, error) {
	if err := json.Unmarshal(b, plain); err != nil {
		return nil, err
	}
	var all members
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, err
	}
	typ := reflect.TypeOf(plain).Elem()
	for i := range typ.NumField() {
		name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		delete(all, name)
	}
	return all, nil
}

// join writes an object with the members that were kept of it.
func join(plain any, other members) ([]byte, error) {
	b, err := json.Marshal(plain)
	if err != nil || len(other) == 0 {
		return b, err
	}
	all := maps.Clone(other)
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, err
	}
	return json.Marshal(all)
}

// The plain forms have the members and none of the methods.
type (
	plainIndex      Index
	plainRollout    Rollout
	plainHalt       Halt
	plainWithdrawal Withdrawal
	plainMinimum    Minimum
)

// UnmarshalJSON reads an index and keeps what it does not know, as do the parts of it.
func (x *Index) UnmarshalJSON(b []byte) (err error) {
	x.other, err = keep(b, (*plainIndex)(x))
	return err
}

// MarshalJSON writes what is known, and what was kept.
func (x *Index) MarshalJSON() ([]byte, error) { return join((*plainIndex)(x), x.other) }

// UnmarshalJSON reads one version's part.
func (r *Rollout) UnmarshalJSON(b []byte) (err error) {
	r.other, err = keep(b, (*plainRollout)(r))
	return err
}

// MarshalJSON writes one version's part.
func (r Rollout) MarshalJSON() ([]byte, error) { return join(plainRollout(r), r.other) }

// UnmarshalJSON reads a halt.
func (h *Halt) UnmarshalJSON(b []byte) (err error) {
	h.other, err = keep(b, (*plainHalt)(h))
	return err
}

// MarshalJSON writes a halt.
func (h *Halt) MarshalJSON() ([]byte, error) { return join((*plainHalt)(h), h.other) }

// UnmarshalJSON reads a withdrawal.
func (w *Withdrawal) UnmarshalJSON(b []byte) (err error) {
	w.other, err = keep(b, (*plainWithdrawal)(w))
	return err
}

// MarshalJSON writes a withdrawal.
func (w Withdrawal) MarshalJSON() ([]byte, error) { return join(plainWithdrawal(w), w.other) }

// UnmarshalJSON reads the minimum.
func (m *Minimum) UnmarshalJSON(b []byte) (err error) {
	m.other, err = keep(b, (*plainMinimum)(m))
	return err
}

// MarshalJSON writes the minimum.
func (m *Minimum) MarshalJSON() ([]byte, error) { return join((*plainMinimum)(m), m.other) }
