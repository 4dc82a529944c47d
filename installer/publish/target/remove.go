package target

import (
	"context"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func (d *folder) Remove(_ context.Context, key string) error { return absent(os.Remove(d.path(key))) }

func (b *store) Remove(ctx context.Context, key string) error {
	_, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.name, Key: b.key(key)})
	return sorted(err)
}
