// Package s3 is the service S3 of a local region: buckets, objects, uploads in parts, as far as the product and its users need
// them.
//
//	store.go    opening; the row of the dispatch table
//	s3.go       one request: which bucket and key, who may, how errors look; route.go which operation it is
//	records.go  the records; bodies.go the files of bodies
//	bucket.go, list.go, object.go, copy.go, delete.go, upload.go, complete.go  the operations
//	body.go, chunk.go, sums.go, condition.go  a request's body with its checksums and signatures; conditional requests
//	inspect.go  the same for programs in this process
//
// It claims every request that no other service does: path-style, or with the bucket in front of the host. The region's own bucket
// and the global one are there from the start, and their objects are public to read.
//
// It owns the tables of records "s3.buckets", "s3.objects", "s3.uploads", "s3.parts" and the folder objects/: one file per
// body, whole (temporary file, fsync, rename).
//
// What must always be true: a record never names a body that is not there whole; a body that came in is kept only if every
// size, hash, checksum and signature declared for it is right. What no record names is removed at start.
package s3

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
)

// Store is every bucket of a region.
type Store struct {
	region  string
	records *records.Store
	now     func() time.Time
	dir     string
	durable bool
}

// Open opens the buckets of a region, and makes those it has from the start. dir is the folder of the bodies; durable ones are
// synced.
func Open(region string, store *records.Store, now func() time.Time, dir string, durable bool) (*Store, error) {
	st := &Store{region, store, now, dir, durable}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := store.Prepare(bucketsTable, objectsTable, uploadsTable, partsTable); err != nil {
		return nil, err
	}
	var used map[string]bool
	err := store.Update(func(tx *records.Tx) (err error) {
		for _, name := range []string{regions.Bucket(region), regions.GlobalBucket} {
			if err := addBucket(tx, name, now()); err != nil && !errors.Is(err, errOwned()) {
				return err
			}
		}
		used, err = bodiesNamed(tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("records of the buckets: %w", err)
	}
	return st, st.collect(used)
}

// Service is the row of S3 in the dispatch table. It claims everything, so it comes last.
func (st *Store) Service(gate *protocol.Gate) protocol.Service {
	return protocol.Service{Name: "s3", Operations: slices.Sorted(maps.Keys(operations())),
		Claim: func(a *protocol.Answer) (protocol.Handler, bool) {
			return st.handler(gate, a.Request), true
		}}
}
