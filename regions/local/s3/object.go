package s3

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
)

// maxKey is the longest key, in bytes.
const maxKey = 1024

func (c *call) putObject() error {
	if len(c.key) > maxKey {
		return protocol.Refuse("KeyTooLongError", "Your key is too long")
	}
	if err := c.refuseUnknown(); err != nil {
		return err
	}
	if !c.store.bucketExists(c.bucket) {
		return protocol.Fail(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
	}
	p, err := c.payload(algorithmsOf(c.Request.Header))
	if err != nil {
		return err
	}
	body, size, err := c.store.keepBody(p)
	if err != nil {
		return err
	}
	o := object{Body: body, Size: size, ETag: p.etag(), Modified: c.store.now().UTC(), Headers: keptHeaders(c.Request.Header),
		Sums: p.checksums(), Node: c.who.InstanceID}
	if err := c.store.record(c.bucket, c.key, o, c.mayWrite(), nil); err != nil {
		return err
	}
	c.Header().Set("ETag", quote(o.ETag))
	setSums(c.Header(), o)
	return c.done(http.StatusOK)
}

func (c *call) deleteObject() error {
	if err := c.store.deleteRecord(c.bucket, c.key, deleteCondition(c.Request.Header)); err != nil {
		return err
	}
	return c.done(http.StatusNoContent)
}

// getObject serves GET and HEAD.
func (c *call) getObject() error {
	o, f, err := c.store.openObject(c.bucket, c.key)
	if err != nil {
		return err
	}
	defer f.Close()
	h := c.Header()
	h.Set("ETag", quote(o.ETag))
	h.Set("Last-Modified", o.Modified.UTC().Format(http.TimeFormat))
	if unchanged, err := readCondition(c.Request.Header, o); err != nil {
		return err
	} else if unchanged {
		c.WriteHeader(http.StatusNotModified)
		return nil
	}
	from, to, partial, err := c.span(o)
	if err != nil {
		return err
	}
	c.describe(o, partial)
	h.Set("Content-Length", strconv.FormatInt(to-from, 10))
	status := http.StatusOK
	if partial {
		status = http.StatusPartialContent
		h.Set("Content-Range", "bytes "+strconv.FormatInt(from, 10)+"-"+strconv.FormatInt(to-1, 10)+"/"+strconv.FormatInt(o.Size, 10))
	}
	c.WriteHeader(status)
	if c.Request.Method == http.MethodHead {
		return nil
	}
	_, err = io.Copy(c.ResponseWriter, io.NewSectionReader(f, from, to-from))
	if err != nil {
		panic(http.ErrAbortHandler) // cut off: a short body must not look whole
	}
	return nil
}

// objectTags says that an object has no tags; the AWS CLI asks before it copies in parts.
func (c *call) objectTags() error {
	_, f, err := c.store.openObject(c.bucket, c.key)
	if err != nil {
		return err
	}
	f.Close()
	return c.writeXML(http.StatusOK, struct {
		XMLName xml.Name
		TagSet  struct{}
	}{XMLName: inNamespace("Tagging")})
}

// describe sets the headers of an object that is about to be sent.
func (c *call) describe(o *object, partial bool) {
	h := c.Header()
	h.Set("x-amz-request-id", c.ID)
	h.Set("Accept-Ranges", "bytes")
	h.Set("Content-Type", "binary/octet-stream")
	for name, value := range o.Headers {
		if strings.HasPrefix(name, "X-Amz-Meta-") { // metadata has its keys in lower case, as S3 sends them
			name = strings.ToLower(name)
		}
		h[name] = []string{value}
	}
	if len(o.Parts) > 0 && c.query.Has("partNumber") {
		h.Set("x-amz-mp-parts-count", strconv.Itoa(len(o.Parts)))
	}
	if !partial && strings.EqualFold(c.Request.Header.Get("X-Amz-Checksum-Mode"), "ENABLED") {
		setSums(h, *o)
	}
	if c.who.Anonymous {
		return
	}
	for _, name := range []string{"Content-Type", "Content-Language", "Expires", "Cache-Control", "Content-Disposition", "Content-Encoding"} {
		if v := c.query.Get("response-" + strings.ToLower(name)); v != "" {
			h.Set(name, v)
		}
	}
}

// span is the part of an object that is asked for, [from, to).
func (c *call) span(o *object) (from, to int64, partial bool, err error) {
	if text := c.query.Get("partNumber"); text != "" {
		return partSpan(o, text)
	}
	if ranged := c.Request.Header.Get("If-Range"); ranged != "" && ranged != quote(o.ETag) {
		return 0, o.Size, false, nil
	}
	from, to, err = parseRange(c.Request.Header.Get("Range"), o.Size)
	if errors.Is(err, errNoRange) {
		return 0, o.Size, false, nil
	}
	if err != nil {
		c.Header().Set("Content-Range", "bytes */"+strconv.FormatInt(o.Size, 10))
		return 0, 0, false, protocol.Fail(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable")
	}
	return from, to, true, nil
}

// partSpan is a part of a multipart upload; an object of one piece has one part.
func partSpan(o *object, text string) (from, to int64, partial bool, err error) {
	n, err := strconv.Atoi(text)
	if err == nil && n == 1 && len(o.Parts) == 0 {
		return 0, o.Size, o.Size > 0, nil
	}
	if err != nil || n < 1 || n > len(o.Parts) {
		return 0, 0, false, protocol.Fail(http.StatusRequestedRangeNotSatisfiable, "InvalidPartNumber",
			"The requested partnumber is not satisfiable")
	}
	for _, size := range o.Parts[:n-1] {
		from += size
	}
	return from, from + o.Parts[n-1], true, nil
}

var (
	errNoRange  = errors.New("no range")
	errBadRange = errors.New("range not satisfiable")
)

// parseRange reads "bytes=a-b", "bytes=a-" and "bytes=-n". Other forms, several ranges too, are errNoRange: the whole
// object is sent.
func parseRange(text string, size int64) (from, to int64, err error) {
	spec, ok := strings.CutPrefix(text, "bytes=")
	first, last, dash := strings.Cut(strings.TrimSpace(spec), "-")
	if !ok || !dash || strings.Contains(spec, ",") {
		return 0, 0, errNoRange
	}
	if first == "" {
		n, err := strconv.ParseInt(last, 10, 64)
		if err != nil || n < 0 {
			return 0, 0, errNoRange
		}
		if n == 0 || size == 0 {
			return 0, 0, errBadRange
		}
		return max(0, size-n), size, nil
	}
	from, err = strconv.ParseInt(first, 10, 64)
	if err != nil {
		return 0, 0, errNoRange
	}
	to = size
	if last != "" {
		end, err := strconv.ParseInt(last, 10, 64)
		if err != nil || end < from {
			return 0, 0, errNoRange
		}
		if end < size-1 {
			to = end + 1
		}
	}
	if from >= size {
		return 0, 0, errBadRange
	}
	return from, to, nil
}

// keptHeaders are what is remembered of an upload's headers.
func keptHeaders(h http.Header) map[string]string {
	kept := map[string]string{}
	for name, values := range h {
		switch {
		case name == "Content-Type", name == "Cache-Control", name == "Content-Disposition", name == "Content-Language", name == "Expires",
			name == "X-Amz-Website-Redirect-Location", strings.HasPrefix(name, "X-Amz-Meta-"):
			kept[name] = strings.Join(values, ",")
		case name == "Content-Encoding":
			if v := withoutChunked(strings.Join(values, ",")); v != "" {
				kept[name] = v
			}
		}
	}
	return kept
}

// withoutChunked takes the transport's own encoding out of Content-Encoding.
func withoutChunked(value string) string {
	var rest []string
	for _, v := range strings.Split(value, ",") {
		if v = strings.TrimSpace(v); v != "" && v != "aws-chunked" {
			rest = append(rest, v)
		}
	}
	return strings.Join(rest, ",")
}

func setSums(h http.Header, o object) {
	for a, v := range o.Sums {
		h.Set(checksumHeader+a, v)
		h.Set("x-amz-checksum-type", o.sumType())
	}
}

func quote(etag string) string { return `"` + etag + `"` }

// timeOf reads an HTTP date of a header; ok is false when there is none.
func timeOf(h http.Header, name string) (time.Time, bool) {
	t, err := http.ParseTime(h.Get(name))
	return t, err == nil
}
