package local

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/bbolt"
)

// minPart is the least size of every part but the last.
const minPart = 5 << 20

// upload is the record of a multipart upload under way.
type upload struct {
	ID      string
	Bucket  string
	Key     string
	Headers map[string]string `json:",omitempty"`
	Started time.Time
	Sum     string `json:",omitempty"` // checksum of the whole object, to be made at the end
}

// part is the record of an uploaded part.
type part struct {
	Body     string
	Size     int64
	ETag     string
	Modified time.Time
	Sums     map[string]string `json:",omitempty"`
}

func (c *s3call) createUpload() error {
	if len(c.key) > maxKey {
		return refuse("KeyTooLongError", "Your key is too long")
	}
	h := c.req.Header
	up := upload{ID: hex.EncodeToString(randomBytes(24)), Bucket: c.bucket, Key: c.key, Headers: keptHeaders(h), Started: c.region.now().UTC()}
	algorithm := strings.ToLower(h.Get("X-Amz-Checksum-Algorithm"))
	if full := strings.EqualFold(h.Get("X-Amz-Checksum-Type"), "FULL_OBJECT"); (full || algorithm == "crc64nvme") && newSum(algorithm) != nil {
		up.Sum = algorithm
	}
	err := c.region.db.Update(func(tx *bbolt.Tx) error {
		if _, err := objectsOf(tx, c.bucket); err != nil {
			return err
		}
		raw, err := json.Marshal(up)
		if err != nil {
			return err
		}
		return tx.Bucket([]byte(uploadsBucket)).Put([]byte(up.ID), raw)
	})
	if err != nil {
		return err
	}
	if algorithm != "" {
		c.Header().Set("x-amz-checksum-algorithm", strings.ToUpper(algorithm))
		c.Header().Set("x-amz-checksum-type", either(up.Sum != "", "FULL_OBJECT", "COMPOSITE"))
	}
	return c.writeXML(http.StatusOK, struct {
		XMLName               xml.Name
		Bucket, Key, UploadId string
	}{s3Name("InitiateMultipartUploadResult"), c.bucket, c.key, up.ID})
}

// loadUpload finds an upload of this bucket and key.
func (c *s3call) loadUpload(tx *bbolt.Tx) (up upload, err error) {
	raw := tx.Bucket([]byte(uploadsBucket)).Get([]byte(c.query.Get("uploadId")))
	if raw != nil {
		err = json.Unmarshal(raw, &up)
	}
	if err == nil && (raw == nil || up.Bucket != c.bucket || up.Key != c.key) {
		err = fault{"NoSuchUpload", "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.", http.StatusNotFound}
	}
	return up, err
}

// part reads the number of a part and finds its upload.
func (c *s3call) part() (number int, up upload, err error) {
	number, err = strconv.Atoi(c.query.Get("partNumber"))
	if err != nil || number < 1 || number > 10000 {
		return 0, up, refuse("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
	}
	err = c.region.db.View(func(tx *bbolt.Tx) error {
		up, err = c.loadUpload(tx)
		return err
	})
	return number, up, err
}

func (c *s3call) uploadPart() error {
	number, up, err := c.part()
	if err != nil {
		return err
	}
	body, err := c.payload(algorithmsOf(c.req.Header))
	if err != nil {
		return err
	}
	id, size, err := c.region.keepBody(body)
	if err != nil {
		return err
	}
	p := part{Body: id, Size: size, ETag: body.etag(), Modified: c.region.now().UTC(), Sums: body.checksums()}
	if err := c.region.putPart(up, number, p); err != nil {
		return err
	}
	c.Header().Set("ETag", quote(p.ETag))
	for a, v := range p.Sums {
		c.Header().Set(checksumHeader+a, v)
	}
	return c.done(http.StatusOK)
}

// putPart keeps a part, in place of an earlier one of that number. The upload may be gone by now.
func (r *Region) putPart(up upload, number int, p part) error {
	drop := p.Body
	err := r.db.Update(func(tx *bbolt.Tx) error {
		if tx.Bucket([]byte(uploadsBucket)).Get([]byte(up.ID)) == nil {
			return fault{"NoSuchUpload", "The specified upload does not exist.", http.StatusNotFound}
		}
		raw, err := json.Marshal(p)
		if err != nil {
			return err
		}
		parts := tx.Bucket([]byte(partsBucket))
		old := ""
		if before := parts.Get(partKey(up.ID, number)); before != nil {
			var b part
			if err := json.Unmarshal(before, &b); err != nil {
				return err
			}
			old = b.Body
		}
		if err := parts.Put(partKey(up.ID, number), raw); err != nil {
			return err
		}
		drop = old
		return nil
	})
	r.dropBody(drop)
	return err
}

func partKey(id string, number int) []byte { return fmt.Appendf(nil, "%s/%05d", id, number) }

// partsOf are the parts of an upload by number, in order.
func partsOf(tx *bbolt.Tx, id string) (numbers []int, parts []part, err error) {
	c := tx.Bucket([]byte(partsBucket)).Cursor()
	prefix := id + "/"
	for k, v := c.Seek([]byte(prefix)); k != nil && strings.HasPrefix(string(k), prefix); k, v = c.Next() {
		var p part
		if err := json.Unmarshal(v, &p); err != nil {
			return nil, nil, err
		}
		n, err := strconv.Atoi(string(k[len(prefix):]))
		if err != nil {
			return nil, nil, err
		}
		numbers, parts = append(numbers, n), append(parts, p)
	}
	return numbers, parts, nil
}

// endUpload removes an upload and its parts from the records.
func endUpload(tx *bbolt.Tx, id string) (bodies []string, err error) {
	numbers, parts, err := partsOf(tx, id)
	if err != nil {
		return nil, err
	}
	for i, n := range numbers {
		bodies = append(bodies, parts[i].Body)
		if err := tx.Bucket([]byte(partsBucket)).Delete(partKey(id, n)); err != nil {
			return nil, err
		}
	}
	return bodies, tx.Bucket([]byte(uploadsBucket)).Delete([]byte(id))
}

func (c *s3call) abortUpload() error {
	var bodies []string
	err := c.region.db.Update(func(tx *bbolt.Tx) error {
		up, err := c.loadUpload(tx)
		if err != nil {
			return err
		}
		bodies, err = endUpload(tx, up.ID)
		return err
	})
	if err != nil {
		return err
	}
	for _, b := range bodies {
		c.region.dropBody(b)
	}
	return c.done(http.StatusNoContent)
}

// md5Reader sums what is read through it.
type md5Reader struct {
	io.Reader
	sum hash.Hash
}

func newMD5(src io.Reader) *md5Reader {
	sum := md5.New()
	return &md5Reader{io.TeeReader(src, sum), sum}
}

func (m *md5Reader) hex() string { return hex.EncodeToString(m.sum.Sum(nil)) }
