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

// S3 reads and writes single objects, path-style. A bucket of another region is followed there. It is safe for concurrent use. The
// updater that exchanges agents uploads a step's output by it; the sink of Run Command output (docs/protocol/runcommand.md,
// "Files, S3, CloudWatch Logs") will, and is not in this version.
type S3 struct {
	c                *Client
	domain, override string
}

// NewS3 completes the options.
func NewS3(o S3Options) *S3 {
	return &S3{domain: o.Domain, override: o.Endpoint, c: New(Options{HTTP: o.HTTP, Region: o.Region, UserAgent: o.UserAgent,
		Credentials: o.Credentials, Log: o.Log, Now: o.Now, Pause: o.Pause})}
}

// Object is what an answer says of an object. The caller closes Body.
type Object struct {
	Body io.ReadCloser // nil after Head and Put
	Size int64         // bytes; -1 when unknown
	ETag string
}

// PutOptions go with an object.
type PutOptions struct {
	ContentType string // for output: text/plain
	ACL         string // for output: bucket-owner-full-control
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
	header := http.Header{}
	if o.ContentType != "" {
		header.Set("Content-Type", o.ContentType)
	}
	if o.ACL != "" {
		header.Set("X-Amz-Acl", o.ACL)
	}
	return s.do(ctx, s3Request{http.MethodPut, bucket, key, body, size, sum, header})
}

// s3Request is one request, to be sent as often as it takes.
type s3Request struct {
	method, bucket, key string
	body                io.ReadSeeker
	size                int64
	hash                string
	header              http.Header
}

// Transient failures are tried again five times, from 100 ms, doubling (docs/protocol/runcommand.md, "Files, S3, CloudWatch Logs").
const s3Retries = 5

func (s *S3) do(ctx context.Context, r s3Request) (*Object, error) {
	region := s.c.o.Region
	followed := false
	for n := 0; ; n++ {
		object, err := s.attempt(ctx, r, region)
		if s.c.corrected(err) {
			object, err = s.attempt(ctx, r, region)
		}
		var e *Error
		if errors.As(err, &e) && e.Region != "" && e.Region != region && !followed {
			region, followed = e.Region, true
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
	req, err := s.request(ctx, r, region)
	if err != nil {
		return nil, err
	}
	res, err := s.c.o.HTTP.Do(req)
	if err != nil {
		return nil, transportError(err)
	}
	if res.StatusCode/100 == 2 {
		o := &Object{Body: res.Body, Size: res.ContentLength, ETag: strings.Trim(res.Header.Get("Etag"), `"`)}
		if r.method != http.MethodGet {
			res.Body.Close()
			o.Body = nil
		}
		return o, nil
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	return nil, s3Error(res, string(text))
}

func (s *S3) request(ctx context.Context, r s3Request, region string) (*http.Request, error) {
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
		body = io.NopCloser(r.body) // the transport must not close what is sent again
	}
	if r.size == 0 {
		body = nil // else an empty object would go out chunked
	}
	req, err := http.NewRequestWithContext(ctx, r.method, u.String(), body)
	if err != nil {
		return nil, err
	}
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
