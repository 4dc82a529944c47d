package records

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// ErrLocked says that another process has the file open.
var ErrLocked = fault.New(fault.Busy, "the data folder is in use by another local region",
	"the other ssm-setup local must end first, or use another folder with --data")

// openWithin is how long Open waits for another process to leave.
const openWithin = 500 * time.Millisecond

// Store is an open file of records. Its methods may be called from any goroutine.
type Store struct {
	db      *bbolt.DB
	signals signals
}

// Open opens or makes a file. Without durable, changes are not synced: they survive a killed process, but no power cut.
// Error: [ErrLocked].
func Open(path string, durable bool) (*Store, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: openWithin, NoSync: !durable, FreelistType: bbolt.FreelistMapType})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, ErrLocked
	}
	if err != nil {
		return nil, err
	}
	return &Store{db: db}, nil
}

// Close ends the use of the file.
func (s *Store) Close() error { return s.db.Close() }

// Prepare makes the tables that are not there yet.
func (s *Store) Prepare(tables ...string) error {
	return s.Update(func(tx *Tx) error {
		for _, t := range tables {
			if err := Make(tx, t); err != nil {
				return err
			}
		}
		return nil
	})
}

// Tx is one transaction: a view that does not move, or a change that happens whole or not at all.
type Tx struct {
	tx    *bbolt.Tx
	store *Store
}

// View reads. Several views and one change may run at once.
func (s *Store) View(do func(*Tx) error) error {
	return s.db.View(func(tx *bbolt.Tx) error { return do(&Tx{tx, s}) })
}

// Anything is the key that every change signals, beside its own keys.
const Anything = "*"

// Update changes; an error of do undoes everything.
func (s *Store) Update(do func(*Tx) error) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		t := &Tx{tx, s}
		t.Signal(Anything)
		return do(t)
	})
}

// OnCommit has something done once the change is on disk, and not at all when it is undone.
func (tx *Tx) OnCommit(do func()) { tx.tx.OnCommit(do) }

// partMark stands between a table and a table in it; no name of a table holds it.
const partMark = "\x00"

// Part names a table within a table.
func Part(table, name string) string { return table + partMark + name }

// bucket finds a table; nil where there is none.
func (tx *Tx) bucket(table string) *bbolt.Bucket {
	name, part, nested := strings.Cut(table, partMark)
	b := tx.tx.Bucket([]byte(name))
	if !nested || b == nil {
		return b
	}
	if part == "" {
		return nil
	}
	return b.Bucket([]byte(part))
}

// Make makes a table, or a part of one, unless it is there.
func Make(tx *Tx, table string) error {
	name, part, nested := strings.Cut(table, partMark)
	b, err := tx.tx.CreateBucketIfNotExists([]byte(name))
	if err == nil && nested {
		_, err = b.CreateBucketIfNotExists([]byte(part))
	}
	return err
}

// Drop removes a part of a table with everything in it.
func Drop(tx *Tx, table string) error {
	name, part, _ := strings.Cut(table, partMark)
	return tx.tx.Bucket([]byte(name)).DeleteBucket([]byte(part))
}

// Exists tells whether there is such a table.
func Exists(tx *Tx, table string) bool { return tx.bucket(table) != nil }

// Parts are the names of the tables in a table.
func Parts(tx *Tx, table string) (names []string) {
	b := tx.bucket(table)
	_ = b.ForEachBucket(func(name []byte) error { names = append(names, string(name)); return nil })
	return names
}

// Count is how many records a table had before this transaction.
func Count(tx *Tx, table string) int { return tx.bucket(table).Stats().KeyN }

// Raw is the text of a record; nil where there is none. It is good until the transaction ends.
func Raw(tx *Tx, table, key string) []byte { return tx.bucket(table).Get([]byte(key)) }

// Has tells whether there is such a record.
func Has(tx *Tx, table, key string) bool { return Raw(tx, table, key) != nil }

// SaveRaw writes a record that is no JSON.
func SaveRaw(tx *Tx, table, key, text string) error {
	return tx.bucket(table).Put([]byte(key), []byte(text))
}

// Fetch reads one record; ok is false where there is none.
func Fetch[T any](tx *Tx, table, key string) (value T, ok bool, err error) {
	raw := Raw(tx, table, key)
	if raw == nil {
		return value, false, nil
	}
	if err := json.Unmarshal(raw, &value); err != nil {
		return value, false, fmt.Errorf("cannot read %s of %s: %w", key, table, err)
	}
	return value, true, nil
}

// Save writes one record, whole.
func Save(tx *Tx, table, key string, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return tx.bucket(table).Put([]byte(key), raw)
}

// Remove deletes one record; none is no error.
func Remove(tx *Tx, table, key string) error { return tx.bucket(table).Delete([]byte(key)) }
