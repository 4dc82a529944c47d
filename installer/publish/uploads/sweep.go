package uploads

import (
	"context"
	"encoding/json"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/ssm-setup/ssm-setup/manifests"
)

const (
	folder = "ssm-setup-uploads/" // of markers
	// staleAfter is the age of a marker whose run is dead: four times in a row it was not written anew.
	staleAfter = 5 * time.Minute
	// abandonedAfter is the age from which an upload without marker counts as that of a run that was killed: no object of ours takes so
	// long, at the slowest pace that is waited for.
	abandonedAfter = 2 * time.Hour
	maxMarker      = 1 << 20 // bytes
)

// ours are the first parts of the keys that releases have, beside their versions.
var ours = []string{manifests.AgentPackage, manifests.UpdaterPackage, "ssm-setup", "latest", "stable"}

// Bucket is where uploads go.
type Bucket struct {
	Client       *s3.Client
	Name, Prefix string // prefix: a folder in it, empty for none
}

func (b Bucket) key(key string) *string { return aws.String(path.Join(b.Prefix, key)) }

// below is the prefix of all keys in a folder.
func (b Bucket) below(folder string) string {
	if b.Prefix == "" {
		return folder
	}
	return b.Prefix + "/" + folder
}

func (b Bucket) remove(ctx context.Context, key string) {
	_, _ = b.Client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.Name, Key: b.key(key)})
}

// Sweep removes the uploads of our own keys that killed runs left, and their markers. What the account may not list or remove stays:
// that is no reason to publish nothing.
func (b Bucket) Sweep(ctx context.Context) {
	left, now := b.left(ctx)
	if now.IsZero() {
		return
	}
	held, dead := b.markers(ctx)
	for _, up := range left {
		id := aws.ToString(up.UploadId)
		if !dead.has(id) && (held.has(id) || now.Sub(*up.Initiated) <= abandonedAfter) {
			continue
		}
		_, _ = b.Client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &b.Name, Key: up.Key, UploadId: up.UploadId})
	}
	for key := range dead {
		b.remove(ctx, key)
	}
}

// left lists the uploads of our keys, and the bucket's time; zero where they could not be listed.
func (b Bucket) left(ctx context.Context) (list []types.MultipartUpload, now time.Time) {
	in := &s3.ListMultipartUploadsInput{Bucket: &b.Name}
	prefix := b.below("")
	if prefix != "" {
		in.Prefix = &prefix
	}
	for pages := s3.NewListMultipartUploadsPaginator(b.Client, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, time.Time{}
		}
		if now.IsZero() {
			now, _ = middleware.GetServerTime(page.ResultMetadata)
		}
		for _, up := range page.Uploads {
			if up.Key != nil && up.Initiated != nil && isOurs(strings.TrimPrefix(*up.Key, prefix)) {
				list = append(list, up)
			}
		}
	}
	return list, now
}

// isOurs tells whether a release could have put an object of this key there: the bucket may serve others, too.
func isOurs(key string) bool {
	first, _, ok := strings.Cut(key, "/")
	if !ok {
		return false
	}
	_, err := manifests.ParseVersion(first)
	return err == nil || slices.Contains(ours, first)
}

// marked are the uploads that markers name, by the markers' keys below the prefix.
type marked map[string]content

func (m marked) has(id string) bool {
	for _, c := range m {
		if _, ok := c.Uploads[id]; ok {
			return true
		}
	}
	return false
}

// markers reads those of runs that are at work, and those of dead ones. Each age is by the bucket's clock alone: that which wrote the
// marker's time and the answer's.
func (b Bucket) markers(ctx context.Context) (held, dead marked) {
	held, dead = marked{}, marked{}
	in := &s3.ListObjectsV2Input{Bucket: &b.Name, Prefix: aws.String(b.below(folder))}
	for pages := s3.NewListObjectsV2Paginator(b.Client, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return held, dead
		}
		now, known := middleware.GetServerTime(page.ResultMetadata)
		for _, o := range page.Contents {
			if o.Key == nil || o.LastModified == nil || !known {
				continue
			}
			key := strings.TrimPrefix(*o.Key, b.below(""))
			into := held
			if now.Sub(*o.LastModified) > staleAfter {
				into = dead
			}
			if c, ok := b.read(ctx, key); ok {
				into[key] = c
			}
		}
	}
	return held, dead
}

// read reads a marker; one that is no JSON names no uploads.
func (b Bucket) read(ctx context.Context, key string) (c content, ok bool) {
	out, err := b.Client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.Name, Key: b.key(key)})
	if err != nil {
		return c, false
	}
	defer out.Body.Close()
	text, err := io.ReadAll(io.LimitReader(out.Body, maxMarker))
	if err != nil {
		return c, false
	}
	if json.Unmarshal(text, &c) != nil {
		return content{}, true
	}
	return c, true
}
