package local

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/ssm-setup/ssm-setup/regions"
)

// Put keeps an object in the region's bucket, as the administrator would.
func (r *Region) Put(key string, data []byte) error {
	return r.PutIn(regions.Bucket(r.name), key, data)
}

// PutIn keeps an object in any bucket that exists.
func (r *Region) PutIn(bucket, key string, data []byte) error {
	sum := newMD5(bytes.NewReader(data))
	body, size, err := r.keepBody(sum)
	if err != nil {
		return err
	}
	return r.putObjectRecord(bucket, key, object{Body: body, Size: size, ETag: sum.hex(), Modified: r.now().UTC()}, unconditional, nil)
}

// Get reads an object of the region's bucket.
func (r *Region) Get(key string) ([]byte, error) { return r.GetFrom(regions.Bucket(r.name), key) }

// GetFrom reads an object of any bucket.
func (r *Region) GetFrom(bucket, key string) ([]byte, error) {
	_, f, err := r.openObject(bucket, key)
	if err != nil {
		return nil, fmt.Errorf("%s/%s: %w", bucket, key, err)
	}
	defer f.Close()
	return io.ReadAll(f)
}

// Delete removes an object of the region's bucket; one that is not there is no error.
func (r *Region) Delete(key string) error {
	return r.deleteRecord(regions.Bucket(r.name), key, unconditional)
}

// Keys are the keys of the region's bucket that begin with prefix, in order.
func (r *Region) Keys(prefix string) ([]string, error) {
	p, err := r.list(regions.Bucket(r.name), question{prefix: prefix, most: 1 << 30})
	return p.keys, err
}

// Corrupt changes one byte in the middle of an object of the region's bucket; its size, ETag and all else stay.
func (r *Region) Corrupt(key string) error {
	bucket := regions.Bucket(r.name)
	o, f, err := r.openObject(bucket, key)
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
	if o.Body, _, err = r.keepBody(bytes.NewReader(data)); err != nil {
		return err
	}
	return r.putObjectRecord(bucket, key, *o, unconditional, nil)
}
