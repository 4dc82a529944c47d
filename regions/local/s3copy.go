package local

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// copySource opens the object x-amz-copy-source names, if the caller may read it and the conditions hold.
func (c *s3call) copySource() (o *object, f *os.File, err error) {
	text, err := url.PathUnescape(c.req.Header.Get("X-Amz-Copy-Source"))
	text, _, _ = strings.Cut(text, "?versionId=")
	bucket, key, ok := strings.Cut(strings.TrimPrefix(text, "/"), "/")
	if err != nil || !ok || key == "" {
		return nil, nil, refuse("InvalidArgument", "Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
	}
	if !c.region.mayS3(c.who.caller, "GetObject", bucket) {
		return nil, nil, refusal{denied, "Access Denied"}
	}
	o, f, err = c.region.openObject(bucket, key)
	if err != nil {
		return nil, nil, err
	}
	if unchanged, err := conditions(c.req.Header, "X-Amz-Copy-Source-If-", o); err != nil || unchanged {
		f.Close()
		return nil, nil, errCondition()
	}
	if bucket == c.bucket && key == c.key && c.operation == "CopyObject" && !c.replaces() {
		f.Close()
		return nil, nil, refuse("InvalidRequest", "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata.")
	}
	return o, f, nil
}

func (c *s3call) replaces() bool {
	return strings.EqualFold(c.req.Header.Get("X-Amz-Metadata-Directive"), "REPLACE")
}

func (c *s3call) copyObject() error {
	if len(c.key) > maxKey {
		return refuse("KeyTooLongError", "Your key is too long")
	}
	source, f, err := c.copySource()
	if err != nil {
		return err
	}
	defer f.Close()
	o := object{ETag: source.ETag, Sums: source.Sums, Parts: nil, Headers: source.Headers, Modified: c.region.now().UTC()}
	if c.replaces() {
		o.Headers = keptHeaders(c.req.Header)
	}
	sum := newMD5(f)
	if o.Body, o.Size, err = c.region.keepBody(sum); err != nil {
		return err
	}
	if len(source.Parts) > 0 { // a copy is one piece
		o.ETag = sum.hex()
	}
	if err := c.region.putObjectRecord(c.bucket, c.key, o, writeCondition(c.req.Header), nil); err != nil {
		return err
	}
	return c.writeXML(http.StatusOK, copied("CopyObjectResult", o.ETag, o.Modified))
}

func (c *s3call) uploadPartCopy() error {
	number, up, err := c.part()
	if err != nil {
		return err
	}
	source, f, err := c.copySource()
	if err != nil {
		return err
	}
	defer f.Close()
	var src io.Reader = f
	if text := c.req.Header.Get("X-Amz-Copy-Source-Range"); text != "" {
		from, to, err := parseRange(text, source.Size)
		if err != nil {
			return refuse("InvalidArgument", "The x-amz-copy-source-range value must be of the form bytes=first-last")
		}
		src = io.NewSectionReader(f, from, to-from)
	}
	sum := newMD5(src)
	body, size, err := c.region.keepBody(sum)
	if err != nil {
		return err
	}
	p := part{Body: body, Size: size, ETag: sum.hex(), Modified: c.region.now().UTC()}
	if err := c.region.putPart(up, number, p); err != nil {
		return err
	}
	return c.writeXML(http.StatusOK, copied("CopyPartResult", p.ETag, p.Modified))
}

type copyResult struct {
	XMLName      xml.Name
	LastModified string
	ETag         string
}

func copied(name, etag string, at time.Time) copyResult {
	return copyResult{XMLName: s3Name(name), LastModified: isoTime(at), ETag: quote(etag)}
}
