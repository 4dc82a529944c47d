package s3

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
)

// copySource opens the object x-amz-copy-source names, if the caller may read it and the conditions hold.
func (c *call) copySource() (o *object, f *os.File, err error) {
	text, err := url.PathUnescape(c.Request.Header.Get("X-Amz-Copy-Source"))
	text, _, _ = strings.Cut(text, "?versionId=")
	bucket, key, ok := strings.Cut(strings.TrimPrefix(text, "/"), "/")
	if err != nil || !ok || key == "" {
		return nil, nil, protocol.Refuse("InvalidArgument", "Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
	}
	if !c.store.allows(c.who.Caller, "GetObject", bucket) {
		return nil, nil, protocol.Deny("Access Denied")
	}
	o, f, err = c.store.openObject(bucket, key)
	if err != nil {
		return nil, nil, err
	}
	if unchanged, err := conditions(c.Request.Header, "X-Amz-Copy-Source-If-", o); err != nil || unchanged {
		f.Close()
		return nil, nil, errCondition()
	}
	if bucket == c.bucket && key == c.key && c.Operation == "CopyObject" && !c.replaces() {
		f.Close()
		return nil, nil,
			protocol.Refuse("InvalidRequest",
				"This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata.")
	}
	return o, f, nil
}

func (c *call) replaces() bool {
	return strings.EqualFold(c.Request.Header.Get("X-Amz-Metadata-Directive"), "REPLACE")
}

func (c *call) copyObject() error {
	if len(c.key) > maxKey {
		return protocol.Refuse("KeyTooLongError", "Your key is too long")
	}
	if err := c.refuseUnknown(); err != nil {
		return err
	}
	source, f, err := c.copySource()
	if err != nil {
		return err
	}
	defer f.Close()
	o := object{ETag: source.ETag, Sums: source.Sums, Parts: nil, Headers: source.Headers, Modified: c.store.now().UTC(),
		Node: c.who.InstanceID}
	if c.replaces() {
		o.Headers = keptHeaders(c.Request.Header)
	}
	algorithm, err := c.sumOfCopy(source)
	if err != nil {
		return err
	}
	var src io.Reader = f
	whole := newSum(algorithm)
	if whole != nil {
		src = io.TeeReader(f, whole)
	}
	sum := newMD5(src)
	if o.Body, o.Size, err = c.store.keepBody(sum); err != nil {
		return err
	}
	if len(source.Parts) > 0 { // a copy is one piece
		o.ETag = sum.hex()
	}
	if whole != nil {
		o.Sums = map[string]string{algorithm: base64Sum(whole)}
	}
	if err := c.store.record(c.bucket, c.key, o, c.mayWrite(), nil); err != nil {
		return err
	}
	return c.writeXML(http.StatusOK, copied("CopyObjectResult", o.ETag, o.Modified, shownSums(o.Sums, o.sumType())))
}

// sumOfCopy is the checksum that a copy gets: what the request asks for, else the kind that the source has, of all its bytes. Empty:
// those of the source stay right.
func (c *call) sumOfCopy(source *object) (algorithm string, err error) {
	if asked := strings.ToLower(c.Request.Header.Get("X-Amz-Checksum-Algorithm")); asked != "" {
		if newSum(asked) == nil {
			return "", protocol.Refuse("InvalidRequest", "Checksum algorithm provided is unsupported.")
		}
		return asked, nil
	}
	if source.SumType != composite {
		return "", nil
	}
	for algorithm = range source.Sums {
	}
	return algorithm, nil
}

func (c *call) uploadPartCopy() error {
	number, up, err := c.openPart()
	if err != nil {
		return err
	}
	source, f, err := c.copySource()
	if err != nil {
		return err
	}
	defer f.Close()
	var src io.Reader = f
	if text := c.Request.Header.Get("X-Amz-Copy-Source-Range"); text != "" {
		from, to, err := parseRange(text, source.Size)
		if err != nil {
			return protocol.Refuse("InvalidArgument", "The x-amz-copy-source-range value must be of the form bytes=first-last")
		}
		src = io.NewSectionReader(f, from, to-from)
	}
	sum := newMD5(src)
	body, size, err := c.store.keepBody(sum)
	if err != nil {
		return err
	}
	p := part{Body: body, Size: size, ETag: sum.hex(), Modified: c.store.now().UTC()}
	if err := c.store.recordPart(up, number, p); err != nil {
		return err
	}
	return c.writeXML(http.StatusOK, copied("CopyPartResult", p.ETag, p.Modified, sumsShown{}))
}

type copyResult struct {
	XMLName      xml.Name
	LastModified string
	ETag         string
	sumsShown
}

func copied(name, etag string, at time.Time, sums sumsShown) copyResult {
	return copyResult{sumsShown: sums, XMLName: inNamespace(name), LastModified: isoTime(at), ETag: quote(etag)}
}
