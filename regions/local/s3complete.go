package local

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"strings"

	"go.etcd.io/bbolt"
)

// completeUpload puts the named parts together into one object. Nobody sees it before it is whole.
func (c *s3call) completeUpload() error {
	wanted, err := c.wantedParts()
	if err != nil {
		return err
	}
	var up upload
	var parts []part
	err = c.region.db.View(func(tx *bbolt.Tx) error {
		if up, err = c.loadUpload(tx); err != nil {
			return err
		}
		parts, err = choose(tx, up.ID, wanted)
		return err
	})
	if err != nil {
		return err
	}
	o, err := c.assemble(up, parts)
	if err != nil {
		return err
	}
	var bodies []string
	err = c.region.putObjectRecord(c.bucket, c.key, o, writeCondition(c.req.Header), func(tx *bbolt.Tx) error {
		if _, err := c.loadUpload(tx); err != nil {
			return err // ended by another request meanwhile
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
	setSums(c.Header(), o)
	return c.writeXML(http.StatusOK, struct {
		XMLName                     xml.Name
		Location, Bucket, Key, ETag string
	}{s3Name("CompleteMultipartUploadResult"), "http://" + c.req.Host + rawPath(c.req), c.bucket, c.key, quote(o.ETag)})
}

type wantedPart struct {
	PartNumber int
	ETag       string
}

// wantedParts reads the list of parts; numbers must rise.
func (c *s3call) wantedParts() ([]wantedPart, error) {
	body, err := c.readSmall(nil) // the checksum headers speak of the object
	if err != nil {
		return nil, err
	}
	var in struct {
		XMLName xml.Name `xml:"CompleteMultipartUpload"`
		Part    []wantedPart
	}
	if xml.Unmarshal(body, &in) != nil || len(in.Part) == 0 || len(in.Part) > 10000 {
		return nil, refuse("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	for i := 1; i < len(in.Part); i++ {
		if in.Part[i].PartNumber <= in.Part[i-1].PartNumber {
			return nil, refuse("InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.")
		}
	}
	return in.Part, nil
}

// choose finds the wanted parts and checks tags and sizes.
func choose(tx *bbolt.Tx, id string, wanted []wantedPart) ([]part, error) {
	var chosen []part
	for i, w := range wanted {
		raw := tx.Bucket([]byte(partsBucket)).Get(partKey(id, w.PartNumber))
		var p part
		if raw != nil {
			if err := json.Unmarshal(raw, &p); err != nil {
				return nil, err
			}
		}
		if raw == nil || strings.Trim(w.ETag, `"`) != p.ETag {
			return nil, refuse("InvalidPart", "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.")
		}
		if i < len(wanted)-1 && p.Size < minPart {
			return nil, refuse("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
		}
		chosen = append(chosen, p)
	}
	return chosen, nil
}

// assemble writes the parts one behind the other into a new body.
func (c *s3call) assemble(up upload, parts []part) (object, error) {
	o := object{Modified: c.region.now().UTC(), Headers: up.Headers}
	tags := md5.New()
	var files []io.Reader
	for _, p := range parts {
		f, err := os.Open(c.region.bodyPath(p.Body))
		if err != nil {
			return o, err
		}
		defer f.Close()
		files = append(files, f)
		raw, err := hex.DecodeString(p.ETag)
		if err != nil {
			return o, err
		}
		tags.Write(raw)
		o.Parts = append(o.Parts, p.Size)
	}
	o.ETag = fmt.Sprintf("%x-%d", tags.Sum(nil), len(parts))
	src := io.MultiReader(files...)
	var sum hash.Hash
	if sum = newSum(up.Sum); sum != nil {
		src = io.TeeReader(src, sum)
	}
	var err error
	if o.Body, o.Size, err = c.region.keepBody(src); err != nil {
		return o, err
	}
	if sum == nil {
		return o, nil
	}
	o.Sums = map[string]string{up.Sum: base64Sum(sum)}
	if want := c.req.Header.Get(checksumHeader + up.Sum); want != "" && want != o.Sums[up.Sum] {
		c.region.dropBody(o.Body)
		return o, refuse("BadDigest", "The %s you specified did not match the calculated checksum.", strings.ToUpper(up.Sum))
	}
	return o, nil
}

func (c *s3call) listParts() error {
	most, err := c.number("max-parts", 1000, 1000)
	if err != nil {
		return err
	}
	after, err := c.number("part-number-marker", 0, 10000)
	if err != nil {
		return err
	}
	type entry struct {
		PartNumber   int
		LastModified string
		ETag         string
		Size         int64
	}
	out := struct {
		XMLName               xml.Name
		Bucket, Key, UploadId string
		Initiator, Owner      owner
		StorageClass          string
		PartNumberMarker      int
		NextPartNumberMarker  int
		MaxParts              int
		IsTruncated           bool
		Part                  []entry
	}{XMLName: s3Name("ListPartsResult"), Bucket: c.bucket, Key: c.key, UploadId: c.query.Get("uploadId"), Initiator: c.region.owner(),
		Owner: c.region.owner(), StorageClass: "STANDARD", PartNumberMarker: after, MaxParts: most}
	err = c.region.db.View(func(tx *bbolt.Tx) error {
		up, err := c.loadUpload(tx)
		if err != nil {
			return err
		}
		numbers, parts, err := partsOf(tx, up.ID)
		for i, n := range numbers {
			if n <= after {
				continue
			}
			if len(out.Part) >= most {
				out.IsTruncated = true
				break
			}
			out.Part = append(out.Part, entry{n, isoTime(parts[i].Modified), quote(parts[i].ETag), parts[i].Size})
			out.NextPartNumberMarker = n
		}
		return err
	})
	if err != nil {
		return err
	}
	return c.writeXML(http.StatusOK, out)
}

var errFull = errors.New("page is full")

func (c *s3call) listUploads() error {
	most, err := c.number("max-uploads", 1000, 1000)
	if err != nil {
		return err
	}
	type entry struct {
		Key, UploadId, Initiated, StorageClass string
		Initiator, Owner                       owner
	}
	out := struct {
		XMLName                        xml.Name
		Bucket, Prefix, UploadIdMarker string
		NextUploadIdMarker             string `xml:",omitempty"`
		MaxUploads                     int
		IsTruncated                    bool
		Upload                         []entry
	}{XMLName: s3Name("ListMultipartUploadsResult"), Bucket: c.bucket, Prefix: c.query.Get("prefix"),
		UploadIdMarker: c.query.Get("upload-id-marker"), MaxUploads: most}
	err = c.region.db.View(func(tx *bbolt.Tx) error {
		if _, err := objectsOf(tx, c.bucket); err != nil {
			return err
		}
		return tx.Bucket([]byte(uploadsBucket)).ForEach(func(k, v []byte) error {
			var up upload
			if err := json.Unmarshal(v, &up); err != nil {
				return err
			}
			if up.Bucket != c.bucket || !strings.HasPrefix(up.Key, out.Prefix) || string(k) <= out.UploadIdMarker {
				return nil
			}
			if len(out.Upload) >= most {
				out.IsTruncated = true
				return errFull
			}
			out.Upload = append(out.Upload, entry{up.Key, up.ID, isoTime(up.Started), "STANDARD", c.region.owner(), c.region.owner()})
			out.NextUploadIdMarker = up.ID
			return nil
		})
	})
	if err != nil && !errors.Is(err, errFull) {
		return err
	}
	return c.writeXML(http.StatusOK, out)
}
