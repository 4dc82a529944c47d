package cloud

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// S3Options say where objects are and as whom they are read and written.
type S3Options struct {
	HTTP        *http.Client            // share one per process, see [HTTP]
	Region      string                  // where buckets are looked for first
	Domain      string                  // Agent.ServiceDomain
	Endpoint    string                  // the setting S3.Endpoint: replaces the address of every region
	UserAgent   string                  // see [UserAgent]
	Credentials aws.CredentialsProvider // nil: nothing is signed
	Log         *slog.Logger

	Now   func() time.Time
	Pause func(context.Context, time.Duration) error
}

// S3 reads and writes single objects, path-style. A bucket of another region is followed there, and remembered. It is safe for
// concurrent use. Users: the output of Run Command (docs/protocol/runcommand.md, "Files, S3, CloudWatch Logs") and the updater that
// exchanges agents.
type S3 struct {
	c                *Client
	domain, override string
	found            sync.Map // bucket → its region, where that is another than the caller's
}

// stallLimit is how long a request may stand still, no byte of it read and none answered, before it is given up. Reading an object has
// no limit of its own: its reader has one.
const stallLimit = 20 * time.Second

// NewS3 completes the options.
func NewS3(o S3Options) *S3 {
	return &S3{domain: o.Domain, override: o.Endpoint, c: New(Options{HTTP: o.HTTP, Region: o.Region, UserAgent: o.UserAgent,
		Credentials: o.Credentials, Log: o.Log, Now: o.Now, Pause: o.Pause})}
}

// Object is what an answer says of an object. The caller closes Body.
type Object struct {
	Body io.ReadCloser // of Get only
	Size int64         // bytes; -1 when unknown
	ETag string

	text string // a small answer in XML
}

// PutOptions go with an object.
type PutOptions struct {
	ContentType string // for output: text/plain
	ACL         string // for output: bucket-owner-full-control
	Encryption  Encryption
}

func (o PutOptions) header() http.Header {
	header := http.Header{}
	for name, value := range map[string]string{"Content-Type": o.ContentType, "X-Amz-Acl": o.ACL,
		"X-Amz-Server-Side-Encryption": o.Encryption.Algorithm, "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": o.Encryption.Key} {
		if value != "" {
			header.Set(name, value)
		}
	}
	return header
}

// Get opens an object for reading. Errors are [*Error]: NoSuchKey, NoSuchBucket, AccessDenied, …
func (s *S3) Get(ctx context.Context, bucket, key string) (*Object, error) {
	return s.do(ctx, s3Request{method: http.MethodGet, bucket: bucket, key: key, hash: host.SHA256Bytes(nil)})
}

// Head asks for an object's size; an empty key asks for the bucket itself.
func (s *S3) Head(ctx context.Context, bucket, key string) (*Object, error) {
	return s.do(ctx, s3Request{method: http.MethodHead, bucket: bucket, key: key, hash: host.SHA256Bytes(nil)})
}

// Put writes an object: what is in body from its start to its end.
func (s *S3) Put(ctx context.Context, bucket, key string, body io.ReadSeeker, o PutOptions) (*Object, error) {
	size, err := body.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = body.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, err
	}
	sum, err := host.SHA256(body)
	if err != nil {
		return nil, err
	}
	return s.do(ctx, s3Request{method: http.MethodPut, bucket: bucket, key: key, body: body, size: size, hash: sum, header: o.header()})
}

// s3Request is one request, to be sent as often as it takes.
type s3Request struct {
	method, bucket, key string
	query               string // encoded: "uploads="
	body                io.ReadSeeker
	size                int64
	hash                string
	header              http.Header
	text                bool // the answer is a small one in XML, to be read
}

// Transient failures are tried again five times, from 100 ms, doubling (docs/protocol/runcommand.md, "Files, S3, CloudWatch Logs").
const s3Retries = 5

func (s *S3) do(ctx context.Context, r s3Request) (*Object, error) {
	region := s.c.o.Region
	if known, ok := s.found.Load(r.bucket); ok {
		region, _ = known.(string)
	}
	followed := false
	for n := 0; ; n++ {
		object, err := s.attempt(ctx, r, region)
		if s.c.corrected(err) {
			object, err = s.attempt(ctx, r, region)
		}
		var e *Error
		if errors.As(err, &e) && e.Region != "" && e.Region != region && !followed {
			region, followed = e.Region, true
			s.found.Store(r.bucket, region)
			n--
			continue
		}
		if err == nil || n >= s3Retries || ctx.Err() != nil || !retryable(err) {
			return object, err
		}
		if expired(err) {
			invalidate(s.c.o.Credentials)
		}
		if s.c.o.Pause(ctx, 100*time.Millisecond<<n) != nil {
			return nil, err
		}
	}
}

func (s *S3) attempt(ctx context.Context, r s3Request, region string) (*Object, error) {
	reading := r.method == http.MethodGet && !r.text
	moved := func() {}
	if !reading {
		stalled, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		timer := time.AfterFunc(stallLimit, func() { cancel(errStalled) })
		defer timer.Stop()
		ctx, moved = stalled, func() { timer.Reset(stallLimit) }
	}
	req, err := s.request(ctx, r, region, moved)
	if err != nil {
		return nil, err
	}
	res, err := s.c.o.HTTP.Do(req)
	if err != nil {
		if errors.Is(context.Cause(ctx), errStalled) {
			err = errStalled
		}
		return nil, transportError(err)
	}
	o := &Object{Body: res.Body, Size: res.ContentLength, ETag: strings.Trim(res.Header.Get("Etag"), `"`)}
	if res.StatusCode/100 == 2 && reading {
		return o, nil
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	o.Body, o.text = nil, string(text)
	switch {
	case res.StatusCode/100 != 2:
		return nil, s3Error(res, o.text)
	case err != nil:
		return nil, transportError(err)
	case r.text && strings.Contains(o.text, "<Error>"): // CompleteMultipartUpload answers 200 before it is done
		e := s3Error(res, o.text)
		e.Status = http.StatusInternalServerError
		return nil, e
	}
	return o, nil
}

// errStalled: nothing of a request moved for [stallLimit].
var errStalled = errors.New("no byte was taken or answered for 20 seconds")

func (s *S3) request(ctx context.Context, r s3Request, region string, moved func()) (*http.Request, error) {
	base, err := Endpoint("s3", region, s.domain, s.override)
	if err != nil {
		return nil, err
	}
	path := "/" + r.bucket
	if r.key != "" {
		path += "/" + r.key
	}
	u, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("cannot use endpoint %s: %w", base, err)
	}
	u.RawPath, u.Path = u.EscapedPath()+escapePath(path), u.Path+path
	var body io.Reader
	if r.body != nil {
		if _, err := r.body.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
		body = io.NopCloser(moving{r.body, moved}) // the transport must not close what is sent again
	}
	if r.size == 0 {
		body = nil // else an empty object would go out chunked
	}
	req, err := http.NewRequestWithContext(ctx, r.method, u.String(), body)
	if err != nil {
		return nil, err
	}
	u.RawQuery = r.query
	req.URL, req.ContentLength = u, r.size
	for name, values := range r.header {
		req.Header[name] = values
	}
	req.Header.Set("X-Amz-Content-Sha256", r.hash)
	if s.c.o.Credentials != nil {
		if err := signV4(ctx, s.c.o.Credentials, req, r.hash, region, "s3", s.c.now()); err != nil {
			return nil, err
		}
	}
	if s.c.o.UserAgent != "" {
		req.Header.Set("User-Agent", s.c.o.UserAgent)
	}
	return req, nil
}

// moving tells of every byte that is read.
type moving struct {
	io.Reader
	moved func()
}

func (m moving) Read(p []byte) (int, error) {
	m.moved()
	return m.Reader.Read(p)
}

// escapePath escapes all but slashes and what RFC 3986 leaves unreserved, as S3 signs it.
func escapePath(path string) string {
	var b strings.Builder
	for i := range len(path) {
		c := path[i]
		if c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("-_.~/", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

// s3Error reads an XML error body without a parser for XML: the few elements have no inner structure. Answers to HEAD have no
// body; then the status tells.
func s3Error(res *http.Response, text string) *Error {
	e := &Error{Status: res.StatusCode, RequestID: requestID(res), Region: res.Header.Get("X-Amz-Bucket-Region"),
		Code: element(text, "Code"), Message: element(text, "Message")}
	e.date, _ = http.ParseTime(res.Header.Get("Date"))
	if e.Code == "" {
		e.Code = map[int]string{403: "AccessDenied", 404: "NotFound"}[res.StatusCode]
	}
	if e.Code == "" {
		e.Code, e.Message = UnknownError, "the answer was HTTP "+res.Status
	}
	return e
}

func element(text, name string) string {
	_, rest, _ := strings.Cut(text, "<"+name+">")
	value, _, ok := strings.Cut(rest, "</"+name+">")
	if !ok {
		return ""
	}
	return value
}
