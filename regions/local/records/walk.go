package records

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"go.etcd.io/bbolt"
)

// Keys lists the keys that begin with prefix, in order.
func Keys(tx *Tx, table, prefix string) (keys []string) {
	c := tx.bucket(table).Cursor()
	for k, _ := c.Seek([]byte(prefix)); k != nil && bytes.HasPrefix(k, []byte(prefix)); k, _ = c.Next() {
		keys = append(keys, string(k))
	}
	return keys
}

// First is the first key of a table; ok is false where it is empty.
func First(tx *Tx, table string) (key string, ok bool) {
	k, _ := tx.bucket(table).Cursor().First()
	return string(k), k != nil
}

// Each hands every record whose key begins with prefix to do, in the order of keys, until do says stop. It must not write.
func Each[T any](tx *Tx, table, prefix string, do func(key string, value T) (stop bool)) error {
	c := Seek(tx, table, prefix)
	for key, ok := c.Key(); ok && strings.HasPrefix(key, prefix); key, ok = c.Key() {
		var value T
		if err := c.Read(&value); err != nil {
			return fmt.Errorf("cannot read %s of %s: %w", key, table, err)
		}
		if do(key, value) {
			return nil
		}
		c.Next()
	}
	return nil
}

// Cursor goes through a table in the order of keys. It is good until the transaction ends, and must not see a change.
type Cursor struct {
	c          *bbolt.Cursor
	key, value []byte
}

// Seek makes a cursor that stands at the first record whose key is not before key.
func Seek(tx *Tx, table, key string) *Cursor {
	c := &Cursor{c: tx.bucket(table).Cursor()}
	c.Seek(key)
	return c
}

// Key is the key the cursor stands at; ok is false behind the last.
func (c *Cursor) Key() (key string, ok bool) { return string(c.key), c.key != nil }

// Read reads the record the cursor stands at.
func (c *Cursor) Read(into any) error { return json.Unmarshal(c.value, into) }

// Next goes on by one.
func (c *Cursor) Next() { c.key, c.value = c.c.Next() }

// Seek goes to the first record whose key is not before key.
func (c *Cursor) Seek(key string) { c.key, c.value = c.c.Seek([]byte(key)) }

// End goes behind the last record.
func (c *Cursor) End() { c.key, c.value = nil, nil }

// Number gives the next number of a table, as a part of a key.
func Number(tx *Tx, table string) (string, error) {
	n, err := tx.bucket(table).NextSequence()
	return fmt.Sprintf("%016x", n), err
}

// Sortable is a moment (Unix time in ns) as a part of a key: earlier sorts first.
func Sortable(unixNano int64) string { return fmt.Sprintf("%016x", uint64(unixNano)) }

// NewestFirst is a moment or a number as a part of a key: later sorts first.
func NewestFirst(n int64) string { return Sortable(^n & (1<<63 - 1)) }
