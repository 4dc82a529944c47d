package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Place is a bucket to publish to.
type Place struct {
	Region   string
	Endpoint string // an S3 address that stands in for AWS's, path style; empty for AWS
	Profile  string // of the shared files, empty for the usual chain
	Bucket   string
	Prefix   string // folder in the bucket, empty for none
}

// Bucket is a target in S3 or a service that speaks its protocol. Credentials come from the usual AWS chain; nothing is
// asked yet.
func Bucket(ctx context.Context, p Place) (Target, error) {
	options := []func(*config.LoadOptions) error{config.WithRegion(p.Region)}
	if p.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(p.Profile))
	}
	c, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, err
	}
	client := s3.NewFromConfig(c, func(o *s3.Options) {
		if p.Endpoint != "" {
			o.BaseEndpoint = aws.String(p.Endpoint)
			o.UsePathStyle = true
		}
	})
	return &store{client: client, name: p.Bucket, prefix: strings.Trim(p.Prefix, "/")}, nil
}

type store struct {
	client       *s3.Client
	name, prefix string
}

func (b *store) String() string { return "s3://" + path.Join(b.name, b.prefix) }

func (b *store) key(key string) *string { return aws.String(path.Join(b.prefix, key)) }

func (b *store) Read(ctx context.Context, key string) (io.ReadCloser, string, error) {
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.name, Key: b.key(key)})
	if err != nil {
		return nil, "", sorted(err)
	}
	return out.Body, aws.ToString(out.ETag), nil
}

func (b *store) Size(ctx context.Context, key string) (int64, error) {
	out, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.name, Key: b.key(key)})
	if err != nil {
		return 0, sorted(err)
	}
	return aws.ToInt64(out.ContentLength), nil
}

func (b *store) Write(ctx context.Context, key string, body io.ReadSeeker, when When) error {
	in := &s3.PutObjectInput{Bucket: &b.name, Key: b.key(key), Body: body, ContentType: aws.String(contentType(key))}
	if when.Tag != "" {
		in.IfMatch = aws.String(when.Tag)
	}
	if when.Absent {
		in.IfNoneMatch = aws.String("*")
	}
	_, err := b.client.PutObject(ctx, in)
	return sorted(err)
}

// sorted maps the answers that callers act on.
func sorted(err error) error {
	var answer *awshttp.ResponseError
	if !errors.As(err, &answer) {
		return err
	}
	switch answer.HTTPStatusCode() {
	case http.StatusNotFound:
		if strings.Contains(err.Error(), "NoSuchBucket") {
			return err
		}
		return fmt.Errorf("%w: %w", ErrAbsent, err)
	case http.StatusPreconditionFailed, http.StatusConflict:
		return fmt.Errorf("%w: %w", ErrChanged, err)
	case http.StatusForbidden:
		return fmt.Errorf("%w: %w", ErrDenied, err)
	}
	return err
}

func contentType(key string) string {
	switch {
	case path.Base(key) == "VERSION":
		return "text/plain"
	case path.Ext(key) == ".json":
		return "application/json"
	}
	return "application/octet-stream"
}
