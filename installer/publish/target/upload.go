package target

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"
)

// Objects larger than one part go up in parts: a fault costs one part, not the whole.
const (
	partSize  = 16 << 20
	manyParts = 4 // at once
)

func (b *store) Write(ctx context.Context, key string, body io.ReadSeeker, sum string, when When) error {
	c, err := measure(body)
	if err != nil {
		return err
	}
	if have := hex.EncodeToString(c.sum[:]); !strings.EqualFold(have, sum) {
		return fmt.Errorf("%w: SHA-256 %s, not %s", ErrBody, have, sum)
	}
	if err := b.compare(ctx, key, when); err != nil {
		return err
	}
	if at, ok := body.(io.ReaderAt); ok && c.size > partSize {
		return b.parts(ctx, key, at, c, when)
	}
	in := &s3.PutObjectInput{Bucket: &b.name, Key: b.key(key), Body: body, ContentLength: &c.size, ContentType: aws.String(contentType(key)),
		Metadata: c.metadata(), ChecksumSHA256: aws.String(base64.StdEncoding.EncodeToString(c.sum[:]))}
	in.IfMatch, in.IfNoneMatch = when.conditions()
	_, err = b.client.PutObject(ctx, in)
	return sorted(err)
}

// parts uploads a large object; nothing of it is seen before its last request.
func (b *store) parts(ctx context.Context, key string, body io.ReaderAt, c content, when When) error {
	up, err := b.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &b.name, Key: b.key(key),
		ContentType: aws.String(contentType(key)), Metadata: c.metadata(), ChecksumAlgorithm: types.ChecksumAlgorithmSha256})
	if err != nil {
		return sorted(err)
	}
	b.underway.Begin(ctx, aws.ToString(up.UploadId), key)
	defer b.underway.End(ctx, aws.ToString(up.UploadId))
	done, err := b.sendParts(ctx, key, up.UploadId, body, c.size)
	if err == nil {
		in := &s3.CompleteMultipartUploadInput{Bucket: &b.name, Key: b.key(key), UploadId: up.UploadId,
			MultipartUpload: &types.CompletedMultipartUpload{Parts: done}}
		in.IfMatch, in.IfNoneMatch = when.conditions()
		_, err = b.client.CompleteMultipartUpload(ctx, in)
	}
	if err != nil { // parts that are never completed cost money; the first fault is the one to tell
		_, _ = b.client.AbortMultipartUpload(context.WithoutCancel(ctx),
			&s3.AbortMultipartUploadInput{Bucket: &b.name, Key: b.key(key), UploadId: up.UploadId})
	}
	return sorted(err)
}

func (b *store) sendParts(ctx context.Context, key string, id *string, body io.ReaderAt, size int64) ([]types.CompletedPart, error) {
	done := make([]types.CompletedPart, (size+partSize-1)/partSize)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(manyParts)
	for i := range done {
		group.Go(func() error {
			from := int64(i) * partSize
			c, err := measure(io.NewSectionReader(body, from, min(partSize, size-from)))
			if err != nil {
				return err
			}
			number := int32(i + 1)
			sum := base64.StdEncoding.EncodeToString(c.sum[:])
			out, err := b.client.UploadPart(ctx, &s3.UploadPartInput{Bucket: &b.name, Key: b.key(key), UploadId: id, PartNumber: &number,
				Body: c.body, ContentLength: &c.size, ChecksumSHA256: &sum})
			if err != nil {
				return err
			}
			done[i] = types.CompletedPart{PartNumber: &number, ETag: out.ETag, ChecksumSHA256: &sum}
			return nil
		})
	}
	return done, group.Wait()
}
