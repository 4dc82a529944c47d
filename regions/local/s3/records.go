package s3

import (
	"cmp"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
)

// Tables of records.
const (
	bucketsTable = "s3.buckets" // name → bucketRecord
	objectsTable = "s3.objects" // name → table of key → object
	uploadsTable = "s3.uploads" // upload id → upload
	partsTable   = "s3.parts"   // upload id / %05d → part
)

type bucketRecord struct{ Created time.Time }

// object is the record of an object; its bytes lie in the file named Body.
type object struct {
	Body     string
	Size     int64
	ETag     string // without quotes
	Modified time.Time
	Headers  map[string]string `json:",omitempty"` // canonical names: Content-Type, …, X-Amz-Meta-…
	Sums     map[string]string `json:",omitempty"` // algorithm → base64
	SumType  string            `json:",omitempty"` // of the checksums; empty: FULL_OBJECT
	Parts    []int64           `json:",omitempty"` // sizes, of a multipart upload
	Node     string            `json:",omitempty"` // the node that wrote it; empty: the administrator
}

// sumType is what the object's checksums are made of.
func (o object) sumType() string { return cmp.Or(o.SumType, fullObject) }

// addBucket makes an empty bucket.
func addBucket(tx *records.Tx, name string, now time.Time) error {
	if records.Has(tx, bucketsTable, name) {
		return errOwned()
	}
	if err := records.Save(tx, bucketsTable, name, bucketRecord{Created: now}); err != nil {
		return err
	}
	return records.Make(tx, records.Part(objectsTable, name))
}

// objectsOf is the table of a bucket's objects.
func objectsOf(tx *records.Tx, bucket string) (table string, err error) {
	if table = records.Part(objectsTable, bucket); records.Exists(tx, table) {
		return table, nil
	}
	return "", protocol.Fail(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
}

func (st *Store) bucketExists(bucket string) (ok bool) {
	_ = st.records.View(func(tx *records.Tx) error {
		_, err := objectsOf(tx, bucket)
		ok = err == nil
		return nil
	})
	return ok
}

// condition looks at the object that is there now (nil: none) and refuses what must not go on.
type condition func(now *object) error

func unconditional(*object) error { return nil }

// record makes o the object of key if the condition holds. In any case one body has no record then, and is removed. more, if
// not nil, is done in the same change.
func (st *Store) record(bucket, key string, o object, ok condition, more func(*records.Tx) error) error {
	old := ""
	err := st.records.Update(func(tx *records.Tx) error {
		objects, now, err := objectAt(tx, bucket, key)
		if err != nil {
			return err
		}
		if err := ok(now); err != nil {
			return err
		}
		if now != nil {
			old = now.Body
		}
		if more != nil {
			if err := more(tx); err != nil {
				return err
			}
		}
		return records.Save(tx, objects, key, o)
	})
	if err != nil {
		old = o.Body
	}
	st.dropBody(old)
	return err
}

// objectAt reads the object of a key; nil where there is none.
func objectAt(tx *records.Tx, bucket, key string) (objects string, now *object, err error) {
	if objects, err = objectsOf(tx, bucket); err != nil || key == "" {
		return objects, nil, err
	}
	o, found, err := records.Fetch[object](tx, objects, key)
	if err != nil || !found {
		return objects, nil, err
	}
	return objects, &o, nil
}

// deleteRecord removes an object; one that is not there is no error.
func (st *Store) deleteRecord(bucket, key string, ok condition) error {
	old := ""
	err := st.records.Update(func(tx *records.Tx) error {
		objects, now, err := objectAt(tx, bucket, key)
		if err != nil {
			return err
		}
		if err := ok(now); err != nil || now == nil {
			return err
		}
		old = now.Body
		return records.Remove(tx, objects, key)
	})
	if err == nil {
		st.dropBody(old)
	}
	return err
}

// openObject finds an object and opens its body. A body replaced in between is looked up again.
func (st *Store) openObject(bucket, key string) (o *object, f *os.File, err error) {
	for range 10 {
		err = st.records.View(func(tx *records.Tx) (err error) {
			_, o, err = objectAt(tx, bucket, key)
			return err
		})
		if err != nil {
			return nil, nil, err
		}
		if o == nil {
			return nil, nil, errNoKey()
		}
		f, err = os.Open(st.bodyPath(o.Body))
		if !errors.Is(err, fs.ErrNotExist) {
			return o, f, err
		}
	}
	return nil, nil, err
}

func errNoKey() error {
	return protocol.Fail(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
}

func errOwned() error {
	return protocol.Fail(http.StatusConflict, "BucketAlreadyOwnedByYou",
		"Your previous request to create the named bucket succeeded and you already own it.")
}
