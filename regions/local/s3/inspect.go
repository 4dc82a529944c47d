package s3

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/records"
)

// Put keeps an object in a bucket that exists, as the administrator would.
func (st *Store) Put(bucket, key string, data []byte) error {
	sum := newMD5(bytes.NewReader(data))
	body, size, err := st.keepBody(sum)
	if err != nil {
		return err
	}
	return st.record(bucket, key, object{Body: body, Size: size, ETag: sum.hex(), Modified: st.now().UTC()}, unconditional, nil)
}

// Make makes a bucket, the administrator's. Error: BucketAlreadyOwnedByYou.
func (st *Store) Make(bucket string) error {
	return st.records.Update(func(tx *records.Tx) error { return addBucket(tx, bucket, st.now().UTC()) })
}

// Get reads an object. Error: NoSuchBucket, NoSuchKey.
func (st *Store) Get(bucket, key string) ([]byte, error) {
	_, f, err := st.openObject(bucket, key)
	if err != nil {
		return nil, fmt.Errorf("%s/%s: %w", bucket, key, err)
	}
	defer f.Close()
	return io.ReadAll(f)
}

// Has tells whether there is such an object.
func (st *Store) Has(bucket, key string) bool {
	there := false
	_ = st.records.View(func(tx *records.Tx) error {
		_, o, err := objectAt(tx, bucket, key)
		there = err == nil && o != nil
		return nil
	})
	return there
}

// Delete removes an object; one that is not there is no error.
func (st *Store) Delete(bucket, key string) error { return st.deleteRecord(bucket, key, unconditional) }

// Keys are the keys of a bucket that begin with prefix, in order.
func (st *Store) Keys(bucket, prefix string) ([]string, error) {
	p, err := st.list(bucket, listQuery{prefix: prefix, most: 1 << 30})
	return p.keys, err
}

// Object is what a listing says of an object.
type Object struct {
	Key      string
	Size     int64
	ETag     string // without quotes
	Modified time.Time
}

// Objects are the objects of a bucket whose keys begin with prefix, in the order of keys. Error: NoSuchBucket.
func (st *Store) Objects(bucket, prefix string) (all []Object, err error) {
	err = st.records.View(func(tx *records.Tx) error {
		table, err := objectsOf(tx, bucket)
		if err != nil {
			return err
		}
		return records.Each(tx, table, prefix, func(key string, o object) bool {
			all = append(all, Object{key, o.Size, o.ETag, o.Modified})
			return false
		})
	})
	return all, err
}

// Corrupt changes one byte in the middle of an object; its size, ETag and all else stay.
func (st *Store) Corrupt(bucket, key string) error {
	o, f, err := st.openObject(bucket, key)
	if err != nil {
		return fmt.Errorf("%s/%s: %w", bucket, key, err)
	}
	data, err := io.ReadAll(f)
	f.Close()
	if err != nil {
		return err
	}
	if len(data) == 0 {
		return errors.New("nothing to corrupt: the object is empty")
	}
	data[len(data)/2] ^= 0xff
	if o.Body, _, err = st.keepBody(bytes.NewReader(data)); err != nil {
		return err
	}
	return st.record(bucket, key, *o, unconditional, nil)
}
