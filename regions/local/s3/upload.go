package s3

import (
	"cmp"
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
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
	PartSum string `json:",omitempty"` // or: checksum of the parts' checksums
	Node    string `json:",omitempty"` // the node that began it; empty: the administrator
}

// part is the record of an uploaded part.
type part struct {
	Body     string
	Size     int64
	ETag     string
	Modified time.Time
	Sums     map[string]string `json:",omitempty"`
}

func (c *call) createUpload() error {
	if len(c.key) > maxKey {
		return protocol.Refuse("KeyTooLongError", "Your key is too long")
	}
	h := c.Request.Header
	up := upload{ID: newID(24), Bucket: c.bucket, Key: c.key, Headers: keptHeaders(h), Started: c.store.now().UTC(),
		Node: c.who.InstanceID}
	algorithm := strings.ToLower(h.Get("X-Amz-Checksum-Algorithm"))
	if full := strings.EqualFold(h.Get("X-Amz-Checksum-Type"), "FULL_OBJECT"); (full || algorithm == "crc64nvme") && newSum(algorithm) != nil {
		up.Sum = algorithm
	} else if newSum(algorithm) != nil {
		up.PartSum = algorithm
	}
	if err := c.refuseUnknown(); err != nil {
		return err
	}
	err := c.store.records.Update(func(tx *records.Tx) error {
		if _, err := objectsOf(tx, c.bucket); err != nil {
			return err
		}
		return records.Save(tx, uploadsTable, up.ID, up)
	})
	if err != nil {
		return err
	}
	if algorithm != "" {
		c.Header().Set("x-amz-checksum-algorithm", strings.ToUpper(algorithm))
		c.Header().Set("x-amz-checksum-type", up.sumType())
	}
	return c.writeXML(http.StatusOK, struct {
		XMLName               xml.Name
		Bucket, Key, UploadId string
	}{inNamespace("InitiateMultipartUploadResult"), c.bucket, c.key, up.ID})
}

// sumType is what the checksum of the object will be made of; empty: there is none.
func (up upload) sumType() string {
	switch {
	case up.Sum != "":
		return fullObject
	case up.PartSum != "":
		return composite
	}
	return ""
}

// loadUpload finds an upload of this bucket and key.
func (c *call) loadUpload(tx *records.Tx) (up upload, err error) {
	up, found, err := records.Fetch[upload](tx, uploadsTable, c.query.Get("uploadId"))
	if err == nil && (!found || up.Bucket != c.bucket || up.Key != c.key) {
		err = protocol.Fail(http.StatusNotFound, "NoSuchUpload",
			"The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.")
	}
	if err == nil && c.who.InstanceID != "" && up.Node != c.who.InstanceID {
		err = protocol.Deny("Access Denied")
	}
	return up, err
}

// openPart reads the number of a part and finds its upload.
func (c *call) openPart() (number int, up upload, err error) {
	number, err = strconv.Atoi(c.query.Get("partNumber"))
	if err != nil || number < 1 || number > 10000 {
		return 0, up, protocol.Refuse("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
	}
	err = c.store.records.View(func(tx *records.Tx) error {
		up, err = c.loadUpload(tx)
		return err
	})
	return number, up, err
}

func (c *call) uploadPart() error {
	number, up, err := c.openPart()
	if err != nil {
		return err
	}
	body, err := c.payload(algorithmsOf(c.Request.Header))
	if err != nil {
		return err
	}
	id, size, err := c.store.keepBody(body)
	if err != nil {
		return err
	}
	p := part{Body: id, Size: size, ETag: body.etag(), Modified: c.store.now().UTC(), Sums: body.checksums()}
	if err := c.store.recordPart(up, number, p); err != nil {
		return err
	}
	c.Header().Set("ETag", quote(p.ETag))
	for a, v := range p.Sums {
		c.Header().Set(checksumHeader+a, v)
	}
	return c.done(http.StatusOK)
}

// recordPart keeps a part, in place of an earlier one of that number. The upload may be gone by now.
func (st *Store) recordPart(up upload, number int, p part) error {
	drop := p.Body
	err := st.records.Update(func(tx *records.Tx) error {
		if !records.Has(tx, uploadsTable, up.ID) {
			return protocol.Fail(http.StatusNotFound, "NoSuchUpload", "The specified upload does not exist.")
		}
		before, _, err := records.Fetch[part](tx, partsTable, partKey(up.ID, number))
		if err != nil {
			return err
		}
		if err := records.Save(tx, partsTable, partKey(up.ID, number), p); err != nil {
			return err
		}
		drop = before.Body
		return nil
	})
	st.dropBody(drop)
	return err
}

func partKey(id string, number int) string { return fmt.Sprintf("%s/%05d", id, number) }

// partsOf are the parts of an upload by number, in order.
func partsOf(tx *records.Tx, id string) (numbers []int, parts []part, err error) {
	prefix := id + "/"
	var bad error
	err = records.Each(tx, partsTable, prefix, func(key string, p part) (stop bool) {
		n, err := strconv.Atoi(key[len(prefix):])
		numbers, parts, bad = append(numbers, n), append(parts, p), err
		return err != nil
	})
	return numbers, parts, cmp.Or(err, bad)
}

// endUpload removes an upload and its parts from the records.
func endUpload(tx *records.Tx, id string) (bodies []string, err error) {
	numbers, parts, err := partsOf(tx, id)
	if err != nil {
		return nil, err
	}
	for i, n := range numbers {
		bodies = append(bodies, parts[i].Body)
		if err := records.Remove(tx, partsTable, partKey(id, n)); err != nil {
			return nil, err
		}
	}
	return bodies, records.Remove(tx, uploadsTable, id)
}

func (c *call) abortUpload() error {
	var bodies []string
	err := c.store.records.Update(func(tx *records.Tx) error {
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
		c.store.dropBody(b)
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
