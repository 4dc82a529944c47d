package s3

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
)

// completeUpload puts the named parts together into one object. No reader sees it before it is whole.
func (c *call) completeUpload() error {
	wanted, err := c.wantedParts()
	if err != nil {
		return err
	}
	var up upload
	var parts []part
	err = c.store.records.View(func(tx *records.Tx) error {
		if up, err = c.loadUpload(tx); err != nil {
			return err
		}
		parts, err = wantedOf(tx, up.ID, wanted)
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
	err = c.store.record(c.bucket, c.key, o, c.mayWrite(), func(tx *records.Tx) error {
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
		c.store.dropBody(b)
	}
	setSums(c.Header(), o)
	return c.writeXML(http.StatusOK, struct {
		XMLName                     xml.Name
		Location, Bucket, Key, ETag string
		sumsShown
	}{inNamespace("CompleteMultipartUploadResult"), "http://" + c.Request.Host + protocol.RawPath(c.Request), c.bucket, c.key, quote(o.ETag),
		shownSums(o.Sums, o.sumType())})
}

type wantedPart struct {
	PartNumber int
	ETag       string
}

// wantedParts reads the list of parts; numbers must rise.
func (c *call) wantedParts() ([]wantedPart, error) {
	body, err := c.readSmall(nil) // the checksum headers speak of the object
	if err != nil {
		return nil, err
	}
	var in struct {
		XMLName xml.Name `xml:"CompleteMultipartUpload"`
		Part    []wantedPart
	}
	if xml.Unmarshal(body, &in) != nil || len(in.Part) == 0 || len(in.Part) > 10000 {
		return nil, protocol.Refuse("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	for i := 1; i < len(in.Part); i++ {
		if in.Part[i].PartNumber <= in.Part[i-1].PartNumber {
			return nil, protocol.Refuse("InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.")
		}
	}
	return in.Part, nil
}

// wantedOf finds the wanted parts and checks tags and sizes.
func wantedOf(tx *records.Tx, id string, wanted []wantedPart) ([]part, error) {
	var chosen []part
	for i, w := range wanted {
		p, found, err := records.Fetch[part](tx, partsTable, partKey(id, w.PartNumber))
		if err != nil {
			return nil, err
		}
		if !found || strings.Trim(w.ETag, `"`) != p.ETag {
			return nil, protocol.Refuse("InvalidPart",
				"One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.")
		}
		if i < len(wanted)-1 && p.Size < minPart {
			return nil, protocol.Refuse("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
		}
		chosen = append(chosen, p)
	}
	return chosen, nil
}

// assemble writes the parts one behind the other into a new body.
func (c *call) assemble(up upload, parts []part) (object, error) {
	o := object{Modified: c.store.now().UTC(), Headers: up.Headers, Node: up.Node}
	tags := md5.New()
	var files []io.Reader
	for _, p := range parts {
		f, err := os.Open(c.store.bodyPath(p.Body))
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
	if o.Body, o.Size, err = c.store.keepBody(src); err != nil {
		return o, err
	}
	if text, ok := sumOfParts(up.PartSum, parts); ok {
		o.Sums, o.SumType = map[string]string{up.PartSum: text}, composite
	}
	if sum == nil {
		return o, nil
	}
	o.Sums = map[string]string{up.Sum: base64Sum(sum)}
	if want := c.Request.Header.Get(checksumHeader + up.Sum); want != "" && want != o.Sums[up.Sum] {
		c.store.dropBody(o.Body)
		return o, protocol.Refuse("BadDigest", "The %s you specified did not match the calculated checksum.", strings.ToUpper(up.Sum))
	}
	return o, nil
}

func (c *call) listParts() error {
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
		sumsShown
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
		ChecksumAlgorithm     string `xml:",omitempty"`
		ChecksumType          string `xml:",omitempty"`
		Part                  []entry
	}{XMLName: inNamespace("ListPartsResult"), Bucket: c.bucket, Key: c.key, UploadId: c.query.Get("uploadId"), Initiator: administrator(),
		Owner: administrator(), StorageClass: "STANDARD", PartNumberMarker: after, MaxParts: most}
	err = c.store.records.View(func(tx *records.Tx) error {
		up, err := c.loadUpload(tx)
		if err != nil {
			return err
		}
		out.ChecksumAlgorithm, out.ChecksumType = strings.ToUpper(up.Sum+up.PartSum), up.sumType()
		numbers, parts, err := partsOf(tx, up.ID)
		for i, n := range numbers {
			if n <= after {
				continue
			}
			if len(out.Part) >= most {
				out.IsTruncated = true
				break
			}
			out.Part = append(out.Part, entry{n, isoTime(parts[i].Modified), quote(parts[i].ETag), parts[i].Size, shownSums(parts[i].Sums, "")})
			out.NextPartNumberMarker = n
		}
		return err
	})
	if err != nil {
		return err
	}
	return c.writeXML(http.StatusOK, out)
}

func (c *call) listUploads() error {
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
	}{XMLName: inNamespace("ListMultipartUploadsResult"), Bucket: c.bucket, Prefix: c.query.Get("prefix"),
		UploadIdMarker: c.query.Get("upload-id-marker"), MaxUploads: most}
	err = c.store.records.View(func(tx *records.Tx) error {
		if _, err := objectsOf(tx, c.bucket); err != nil {
			return err
		}
		return records.Each(tx, uploadsTable, "", func(id string, up upload) (stop bool) {
			if up.Bucket != c.bucket || !strings.HasPrefix(up.Key, out.Prefix) || id <= out.UploadIdMarker {
				return false
			}
			if len(out.Upload) >= most {
				out.IsTruncated = true
				return true
			}
			out.Upload = append(out.Upload, entry{up.Key, up.ID, isoTime(up.Started), "STANDARD", administrator(), administrator()})
			out.NextUploadIdMarker = up.ID
			return false
		})
	})
	if err != nil {
		return err
	}
	return c.writeXML(http.StatusOK, out)
}
