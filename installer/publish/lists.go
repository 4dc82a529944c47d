package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/publish/target"
)

// Lists of packages lie under names with their hashes, so that a client which has read one index finds what that names while
// the next is published. They would pile up; so beside each repository a record says which index named which lists. Those of
// the index that is served, of the few before it, and of all that were served within the last day are kept, others go: long
// enough for a client on its way and for a cache in front of the bucket.
const (
	keptIndexes = 3
	keptFor     = 24 * time.Hour
)

// lists is the record. A list is in it before it is in the bucket, and until it is gone: a publication that stops anywhere
// leaves none behind for good.
type lists struct {
	Indexes []named `json:"indexes"` // newest first
}

// named are the lists of one index.
type named struct {
	Replaced time.Time `json:"replaced,omitzero"` // when the next index was there
	Keys     []string  `json:"keys"`
}

// next puts an index in front.
func (l *lists) next(keys []string) {
	keys = slices.Clone(keys)
	slices.Sort(keys)
	if len(l.Indexes) == 0 || !slices.Equal(l.Indexes[0].Keys, keys) {
		l.Indexes = slices.Insert(l.Indexes, 0, named{Keys: keys})
	}
}

// outlive drops the indexes whose time is over, now that the first is served, and returns the lists that only they name.
func (l *lists) outlive(now time.Time) (gone []string) {
	var old []named
	for i := range l.Indexes {
		if n := &l.Indexes[i]; i > 0 && n.Replaced.IsZero() {
			n.Replaced = now.UTC().Truncate(time.Second)
		}
	}
	kept := l.Indexes[:0:0]
	for i, n := range l.Indexes {
		if i <= keptIndexes || now.Sub(n.Replaced) < keptFor {
			kept = append(kept, n)
		} else {
			old = append(old, n)
		}
	}
	l.Indexes = kept
	for _, n := range old {
		for _, key := range n.Keys {
			if !slices.Contains(gone, key) && !slices.ContainsFunc(kept, func(k named) bool { return slices.Contains(k.Keys, key) }) {
				gone = append(gone, key)
			}
		}
	}
	return gone
}

// readLists reads the record of a repository; before is what the index names that is there, for one that never had a record.
func (p *writing) readLists(ctx context.Context, record string, before []string) (l lists, when target.When, err error) {
	content, tag, err := target.ReadLimited(ctx, p.to, record, maxSmall)
	switch {
	case errors.Is(err, target.ErrAbsent):
		when = target.When{Absent: true}
	case err != nil:
		return l, when, fmt.Errorf("%s: %w", record, err)
	default:
		when = target.When{Tag: tag}
		if json.Unmarshal(content, &l) != nil {
			l = lists{} // a damaged record is begun anew
		}
	}
	if len(l.Indexes) == 0 && len(before) > 0 {
		l.next(before)
	}
	return l, when, nil
}

func (p *writing) writeLists(ctx context.Context, record string, l lists, when target.When) error {
	content, err := json.MarshalIndent(l, "", " ")
	if err != nil {
		return err
	}
	return p.writeSmall(ctx, p.to, record, append(content, '\n'), when)
}

// expectLists notes the lists of an index, before they are written.
func (p *writing) expectLists(ctx context.Context, record string, keys, before []string) error {
	l, when, err := p.readLists(ctx, record, before)
	if err != nil {
		return err
	}
	l.next(keys)
	return p.writeLists(ctx, record, l, when)
}

// dropLists removes what no index names any more that a client may hold, once the new one is served. Who may write but not
// remove publishes all the same. may tells what a record can have removed; nil: all.
func (p *writing) dropLists(ctx context.Context, record string, may func(key string) bool) error {
	l, when, err := p.readLists(ctx, record, nil)
	if err != nil || len(l.Indexes) == 0 {
		return err
	}
	for _, key := range l.outlive(p.o.Now()) {
		if may != nil && !may(key) {
			continue
		}
		if !p.o.DryRun {
			if err := p.to.Remove(ctx, key); errors.Is(err, target.ErrDenied) {
				return nil
			} else if err != nil && !errors.Is(err, target.ErrAbsent) && !errors.Is(err, target.ErrKey) { // not a list: a damaged record
				return fmt.Errorf("%s: %w", key, err)
			}
		}
		p.report(Step{Key: key, Action: Removed}, 0)
	}
	return p.writeLists(ctx, record, l, when)
}
