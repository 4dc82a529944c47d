package cloud

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// Sizes of an upload in parts, in bytes. S3 takes 10,000 parts of at least 5 MiB, and 5 GiB in one piece.
const (
	partsFrom = 16 << 20 // what is longer goes in parts: a broken connection costs one part only
	partSize  = 8 << 20
	partsMost = 10000
)

// Encryption is how a bucket wants objects to be kept. The zero value asks for nothing: S3 does as the bucket says.
type Encryption struct {
	Algorithm string // AES256 or aws:kms
	Key       string // of aws:kms; empty: the account's own
}

// Encryption asks what a bucket's own rule is; a bucket without one has the zero value (docs/protocol/runcommand.md, "Files, S3,
// CloudWatch Logs"). Many nodes may not ask: the error is AccessDenied then.
func (s *S3) Encryption(ctx context.Context, bucket string) (Encryption, error) {
	o, err := s.do(ctx, s3Request{method: http.MethodGet, bucket: bucket, query: "encryption=", hash: host.SHA256Bytes(nil), text: true})
	if Code(err) == "ServerSideEncryptionConfigurationNotFoundError" {
		return Encryption{}, nil
	}
	if err != nil {
		return Encryption{}, err
	}
	e := Encryption{Algorithm: element(o.text, "SSEAlgorithm")}
	switch e.Algorithm {
	case "aws:kms":
		e.Key = element(o.text, "KMSMasterKeyID")
	case "AES256":
	default:
		return Encryption{}, nil
	}
	return e, nil
}

// Upload writes an object of any size from a file, never more than a buffer of it in memory: in parts where it is long. Parts that a
// failure leaves are removed.
func (s *S3) Upload(ctx context.Context, bucket, key string, from io.ReaderAt, size int64, o PutOptions) error {
	if size <= partsFrom {
		_, err := s.Put(ctx, bucket, key, io.NewSectionReader(from, 0, size), o)
		return err
	}
	begun, err := s.do(ctx, s3Request{method: http.MethodPost, bucket: bucket, key: key, query: "uploads=", hash: host.SHA256Bytes(nil),
		header: o.header(), text: true})
	if err != nil {
		return err
	}
	id := element(begun.text, "UploadId")
	if id == "" {
		return &Error{Code: SerializationError, Message: "CreateMultipartUpload: the answer names no upload", Status: http.StatusOK}
	}
	query := "uploadId=" + url.QueryEscape(id)
	if err = s.uploadParts(ctx, s3Request{bucket: bucket, key: key, query: query}, from, size); err == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stallLimit)
	defer cancel()
	if _, left := s.do(ctx, s3Request{method: http.MethodDelete, bucket: bucket, key: key, query: query,
		hash: host.SHA256Bytes(nil)}); left != nil {
		s.c.o.Log.Warn("the parts of an upload that failed are left in the bucket", "bucket", bucket, "key", key, "error", left)
	}
	return err
}

// uploadParts sends the parts one after another and has them put together.
func (s *S3) uploadParts(ctx context.Context, r s3Request, from io.ReaderAt, size int64) error {
	step := max(partSize, (size+partsMost-1)/partsMost)
	var list strings.Builder
	list.WriteString(`<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`)
	for n, at := 1, int64(0); at < size; n, at = n+1, at+step {
		part := io.NewSectionReader(from, at, min(step, size-at))
		sum, err := host.SHA256(part)
		if err != nil {
			return err
		}
		sent, err := s.do(ctx, s3Request{method: http.MethodPut, bucket: r.bucket, key: r.key, body: part, size: part.Size(), hash: sum,
			query: fmt.Sprintf("partNumber=%d&%s", n, r.query)})
		if err != nil {
			return err
		}
		fmt.Fprintf(&list, "<Part><PartNumber>%d</PartNumber><ETag>&quot;%s&quot;</ETag></Part>", n,
			strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(sent.ETag))
	}
	list.WriteString("</CompleteMultipartUpload>")
	text := list.String()
	_, err := s.do(ctx, s3Request{method: http.MethodPost, bucket: r.bucket, key: r.key, query: r.query, body: strings.NewReader(text),
		size: int64(len(text)), hash: host.SHA256Bytes([]byte(text)), header: http.Header{"Content-Type": {"text/xml"}}, text: true})
	return err
}
