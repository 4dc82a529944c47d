package target

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/ssm-setup/ssm-setup/installer/credentials"
	"github.com/ssm-setup/ssm-setup/installer/publish/uploads"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// BucketOptions name a bucket to publish to and how to reach it.
type BucketOptions struct {
	Region   string
	Endpoint string // an S3 address that stands in for AWS's, path style; empty for AWS
	Profile  string // of the shared files, empty for the usual chain
	Shared   string // shared credentials file that alone counts; empty for the usual chain
	Bucket   string
	Prefix   string        // folder in the bucket, empty for none
	Tries    int           // of every request; 0 means 6
	Pause    time.Duration // the longest between tries; 0 means 20 s
}

// Bucket is a target in S3 or a service that speaks its protocol. Credentials come from the usual AWS chain;
// ErrCredentials if it has none. The bucket is not asked yet.
func Bucket(ctx context.Context, p BucketOptions) (Target, error) {
	c, err := credentials.Settings(ctx, p.Region, p.Shared, p.Profile)
	if err != nil {
		return nil, err
	}
	if p.Tries == 0 {
		p.Tries = 6
	}
	if p.Pause == 0 {
		p.Pause = 20 * time.Second
	}
	client := s3.NewFromConfig(c, func(o *s3.Options) {
		o.Retryer = retry.AddWithMaxBackoffDelay(retry.AddWithMaxAttempts(retry.NewStandard(), p.Tries), p.Pause)
		o.DisableLogOutputChecksumValidationSkipped = true // it would speak past the one printer
		if p.Endpoint != "" {
			o.BaseEndpoint = aws.String(p.Endpoint)
			o.UsePathStyle = true
		}
	})
	b := &store{client: client, endpoint: p.Endpoint, name: p.Bucket, prefix: strings.Trim(p.Prefix, "/")}
	b.underway = uploads.NewRegister(b.uploads(), 0)
	return kept{b}, nil
}

type store struct {
	client       *s3.Client
	endpoint     string // an address that stands in for AWS's
	name, prefix string
	probed       bool
	heedless     bool // it ignores the conditions of writes
	underway     *uploads.Register

	copyMu       sync.Mutex
	copyProbed   bool
	copyHeedless bool             // it ignores the conditions of copies
	refused      map[string]error // why it copies nothing from a bucket, by that one's name
}

// probeKey is an object that is never there.
const probeKey = "ssm-setup-probe"

// probe asks once for a write under a condition that cannot hold: a bucket that keeps conditions writes nothing. One that may not be
// written there is not judged: the writes to come say why.
func (b *store) probe(ctx context.Context) error {
	if b.probed {
		return nil
	}
	body := strings.NewReader("ssm-setup asks whether this bucket keeps the conditions of writes\n")
	_, err := b.client.PutObject(ctx, &s3.PutObjectInput{Bucket: &b.name, Key: b.key(probeKey), Body: body,
		IfMatch: aws.String(`"00000000000000000000000000000000"`)})
	if b.probed = true; err != nil {
		if err = sorted(err); errors.Is(err, ErrCredentials) || errors.Is(err, ErrUnable) || errors.Is(err, bucket.ErrUnreachable) {
			return err
		}
		return nil
	}
	b.heedless = true
	return b.Remove(ctx, probeKey)
}

// compare stands in for a condition where the bucket keeps none: it looks just before the write. Another publisher between the two is
// not noticed.
func (b *store) compare(ctx context.Context, key string, when When) error {
	if !b.heedless || when == (When{}) {
		return nil
	}
	out, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.name, Key: b.key(key)})
	if err = sorted(err); errors.Is(err, ErrAbsent) {
		if when.Absent {
			return nil
		}
		return ErrChanged
	}
	if err != nil {
		return err
	}
	if when.Absent || aws.ToString(out.ETag) != when.Tag {
		return ErrChanged
	}
	return nil
}

func (b *store) uploads() uploads.Bucket {
	return uploads.Bucket{Client: b.client, Name: b.name, Prefix: b.prefix}
}

// sumNote is the object's metadata that holds its SHA-256, written by us.
const sumNote = "sha256"

func (b *store) String() string { return "s3://" + path.Join(b.name, b.prefix) }

func (b *store) key(key string) *string { return aws.String(path.Join(b.prefix, key)) }

func (b *store) Read(ctx context.Context, key string) (io.ReadCloser, string, error) {
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.name, Key: b.key(key)})
	if err != nil {
		return nil, "", sorted(err)
	}
	return checked{out.Body}, aws.ToString(out.ETag), nil
}

// errCut says that a connection broke in the middle of an answer: the library repeats requests, not the reading of answers.
var errCut = errors.New("the connection broke")

// checked is a body that the library compares with the checksum the bucket keeps.
type checked struct{ io.ReadCloser }

func (c checked) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	switch {
	case err == nil || err == io.EOF:
		return n, err
	case strings.Contains(err.Error(), "checksum did not match"): // its type is not public
		return n, fmt.Errorf("%w: %w", ErrDiffers, err)
	}
	return n, fmt.Errorf("%w: %w: %w", bucket.ErrUnreachable, errCut, err)
}

func (b *store) Stat(ctx context.Context, key string) (Object, error) {
	out, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.name, Key: b.key(key)})
	if err != nil {
		return Object{}, sorted(err)
	}
	return Object{aws.ToInt64(out.ContentLength), out.Metadata[sumNote]}, nil
}

// content is what an upload needs to know of a body.
type content struct {
	body io.ReadSeeker
	size int64
	sum  [sha256.Size]byte
}

func measure(body io.ReadSeeker) (content, error) {
	c := content{body: body}
	h := sha256.New()
	var err error
	if c.size, err = io.Copy(h, body); err != nil {
		return c, err
	}
	h.Sum(c.sum[:0])
	_, err = body.Seek(0, io.SeekStart)
	return c, err
}

func (c content) metadata() map[string]string {
	return map[string]string{sumNote: hex.EncodeToString(c.sum[:])}
}

// conditions are the headers of a condition.
func (w When) conditions() (match, noneMatch *string) {
	if w.Tag != "" {
		match = aws.String(w.Tag)
	}
	if w.Absent {
		noneMatch = aws.String("*")
	}
	return match, noneMatch
}

// sorted maps the answers that callers act on.
func sorted(err error) error {
	var answer *awshttp.ResponseError
	var broken net.Error
	if rejected(err) {
		return fmt.Errorf("%w: %w", ErrCredentials, err)
	}
	if !errors.As(err, &answer) && !errors.As(err, &broken) {
		return err
	}
	if answer == nil || answer.Response == nil || answer.HTTPStatusCode() == 0 {
		return fmt.Errorf("%w: %w", bucket.ErrUnreachable, err)
	}
	if answer.Response.Request != nil {
		if e := bucket.LiesElsewhere(answer.Response.Request.URL, answer.HTTPStatusCode(), answer.Response.Header, err.Error()); e != nil {
			return fmt.Errorf("%w: %w", e, err)
		}
	}
	switch answer.HTTPStatusCode() {
	case http.StatusNotFound:
		if strings.Contains(err.Error(), "NoSuchBucket") {
			return fmt.Errorf("%w: %w", ErrNoBucket, err)
		}
		if strings.Contains(err.Error(), "NoSuchUpload") { // completed by a request whose answer was lost, or cleared away
			return fmt.Errorf("%w: %w", ErrChanged, err)
		}
		return fmt.Errorf("%w: %w", ErrAbsent, err)
	case http.StatusMovedPermanently, http.StatusTemporaryRedirect:
		return fmt.Errorf("%w in this region: %w", ErrNoBucket, err)
	case http.StatusPreconditionFailed, http.StatusConflict:
		return fmt.Errorf("%w: %w", ErrChanged, err)
	case http.StatusNotImplemented:
		return fmt.Errorf("%w: %w", ErrUnable, err)
	case http.StatusForbidden, http.StatusUnauthorized:
		return fmt.Errorf("%w: %w", ErrDenied, err)
	}
	if answer.HTTPStatusCode() >= http.StatusInternalServerError {
		return fmt.Errorf("%w: %w", ErrFaulty, err)
	}
	return err
}

// rejected tells whether it is the credentials that are at fault: they cannot be had, are unknown, expired or wrong, or the clock is.
func rejected(err error) bool {
	var coded smithy.APIError
	if errors.As(err, &coded) {
		switch coded.ErrorCode() {
		case "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "TokenRefreshRequired", "RequestTimeTooSkewed",
			"InvalidClientTokenId", "UnrecognizedClientException":
			return true
		}
		return false
	}
	return err != nil && strings.Contains(err.Error(), "get credentials")
}

func contentType(key string) string {
	switch path.Ext(key) {
	case ".json":
		return "application/json"
	case ".atom":
		return "application/atom+xml"
	case ".xml":
		return "application/xml"
	case ".asc", ".md":
		return "text/plain; charset=utf-8"
	}
	switch path.Base(key) {
	case "VERSION", "SHA256SUMS", "Release", "InRelease", "Packages":
		return "text/plain"
	}
	return "application/octet-stream"
}
