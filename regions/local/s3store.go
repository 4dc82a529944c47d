package local

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"

	"github.com/ssm-setup/ssm-setup/regions"
)

// Buckets of records.
const (
	bucketsBucket = "s3.buckets" // name → bucketRecord
	objectsBucket = "s3.objects" // name → bucket of key → object
	uploadsBucket = "s3.uploads" // upload id → upload
	partsBucket   = "s3.parts"   // upload id / %05d → part
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
	Parts    []int64           `json:",omitempty"` // sizes, of a multipart upload
}

// prepareObjects makes the buckets there are from the start and removes bodies no record names.
func (r *Region) prepareObjects() error {
	if err := os.MkdirAll(r.bodyDir(), 0o700); err != nil {
		return err
	}
	used := map[string]bool{}
	err := r.db.Update(func(tx *bbolt.Tx) error {
		for _, name := range []string{bucketsBucket, objectsBucket, uploadsBucket, partsBucket} {
			if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
				return err
			}
		}
		for _, name := range []string{regions.Bucket(r.name), regions.GlobalBucket} {
			if err := addBucket(tx, name, r.now()); err != nil && !errors.Is(err, errOwned()) {
				return err
			}
		}
		return bodiesNamed(tx, used)
	})
	if err != nil {
		return fmt.Errorf("records of the bucket: %w", err)
	}
	return r.collect(used)
}

// addBucket makes an empty bucket.
func addBucket(tx *bbolt.Tx, name string, now time.Time) error {
	if tx.Bucket([]byte(bucketsBucket)).Get([]byte(name)) != nil {
		return errOwned()
	}
	raw, err := json.Marshal(bucketRecord{Created: now})
	if err != nil {
		return err
	}
	if err := tx.Bucket([]byte(bucketsBucket)).Put([]byte(name), raw); err != nil {
		return err
	}
	_, err = tx.Bucket([]byte(objectsBucket)).CreateBucketIfNotExists([]byte(name))
	return err
}

// bodiesNamed collects the bodies of all objects and parts.
func bodiesNamed(tx *bbolt.Tx, used map[string]bool) error {
	note := func(_, v []byte) error {
		var o struct{ Body string }
		if err := json.Unmarshal(v, &o); err != nil {
			return err
		}
		used[o.Body] = true
		return nil
	}
	objects := tx.Bucket([]byte(objectsBucket))
	err := objects.ForEachBucket(func(name []byte) error { return objects.Bucket(name).ForEach(note) })
	if err != nil {
		return err
	}
	return tx.Bucket([]byte(partsBucket)).ForEach(note)
}

// collect removes files that a crash left behind.
func (r *Region) collect(used map[string]bool) error {
	return filepath.WalkDir(r.bodyDir(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || used[d.Name()] {
			return err
		}
		return os.Remove(path)
	})
}

func (r *Region) bodyDir() string { return filepath.Join(r.data, "objects") }

func (r *Region) bodyPath(id string) string { return filepath.Join(r.bodyDir(), id[:2], id) }

// keepBody writes a body whole, under a new name that no record mentions yet.
func (r *Region) keepBody(src io.Reader) (id string, size int64, err error) {
	var raw [16]byte
	_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
	id = hex.EncodeToString(raw[:])
	if err := os.MkdirAll(filepath.Dir(r.bodyPath(id)), 0o700); err != nil {
		return "", 0, err
	}
	f, err := os.CreateTemp(r.bodyDir(), ".new-*")
	if err != nil {
		return "", 0, err
	}
	defer os.Remove(f.Name()) // gone after the rename
	size, err = io.Copy(f, src)
	if err == nil && !r.noSync {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), r.bodyPath(id))
	}
	if err != nil {
		return "", 0, err
	}
	r.syncDir(filepath.Dir(r.bodyPath(id)))
	return id, size, nil
}

// syncDir makes a rename last; not every system can, so it is no error.
func (r *Region) syncDir(dir string) {
	if r.noSync {
		return
	}
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		d.Close()
	}
}

// dropBody removes a body that no record names any more. What cannot be removed now (open on Windows) goes at the next start.
func (r *Region) dropBody(id string) {
	if id != "" {
		_ = os.Remove(r.bodyPath(id))
	}
}

// objectsOf is the bucket of an S3 bucket's objects.
func objectsOf(tx *bbolt.Tx, bucket string) (*bbolt.Bucket, error) {
	if b := tx.Bucket([]byte(objectsBucket)).Bucket([]byte(bucket)); bucket != "" && b != nil {
		return b, nil
	}
	return nil, fault{"NoSuchBucket", "The specified bucket does not exist", http.StatusNotFound}
}

func (r *Region) bucketExists(bucket string) (ok bool) {
	_ = r.db.View(func(tx *bbolt.Tx) error {
		_, err := objectsOf(tx, bucket)
		ok = err == nil
		return nil
	})
	return ok
}

// condition looks at the object that is there now (nil: none) and refuses what must not go on.
type condition func(now *object) error

func unconditional(*object) error { return nil }

// loadObject reads a record; nil when there is none.
func loadObject(b *bbolt.Bucket, key string) (*object, error) {
	raw := b.Get([]byte(key))
	if raw == nil || key == "" {
		return nil, nil
	}
	var o object
	if err := json.Unmarshal(raw, &o); err != nil {
		return nil, err
	}
	return &o, nil
}

// putObjectRecord makes o the object of key if the condition holds; in any case one body is nobody's then and removed.
func (r *Region) putObjectRecord(bucket, key string, o object, ok condition, more func(*bbolt.Tx) error) error {
	old := ""
	raw, err := json.Marshal(o)
	if err == nil {
		err = r.db.Update(func(tx *bbolt.Tx) error {
			b, err := objectsOf(tx, bucket)
			if err != nil {
				return err
			}
			now, err := loadObject(b, key)
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
			return b.Put([]byte(key), raw)
		})
	}
	if err != nil {
		old = o.Body
	}
	r.dropBody(old)
	return err
}

// deleteRecord removes an object; one that is not there is no error.
func (r *Region) deleteRecord(bucket, key string, ok condition) error {
	old := ""
	err := r.db.Update(func(tx *bbolt.Tx) error {
		b, err := objectsOf(tx, bucket)
		if err != nil {
			return err
		}
		now, err := loadObject(b, key)
		if err != nil {
			return err
		}
		if err := ok(now); err != nil || now == nil {
			return err
		}
		old = now.Body
		return b.Delete([]byte(key))
	})
	if err == nil {
		r.dropBody(old)
	}
	return err
}

// openObject finds an object and opens its body. A body replaced in between is looked up again.
func (r *Region) openObject(bucket, key string) (o *object, f *os.File, err error) {
	for range 10 {
		err = r.db.View(func(tx *bbolt.Tx) error {
			b, err := objectsOf(tx, bucket)
			if err != nil {
				return err
			}
			o, err = loadObject(b, key)
			return err
		})
		if err != nil {
			return nil, nil, err
		}
		if o == nil {
			return nil, nil, errNoKey()
		}
		f, err = os.Open(r.bodyPath(o.Body))
		if !errors.Is(err, fs.ErrNotExist) {
			return o, f, err
		}
	}
	return nil, nil, err
}

func errNoKey() error {
	return fault{"NoSuchKey", "The specified key does not exist.", http.StatusNotFound}
}

func errOwned() error {
	return fault{"BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.", http.StatusConflict}
}
