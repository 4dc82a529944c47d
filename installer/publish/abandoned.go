package publish

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/ssm-setup/ssm-setup/manifests"
)

// abandonedAfter is the age from which an upload in parts counts as that of a publication that was killed: no object of ours takes so
// long, at the slowest pace that is waited for.
const abandonedAfter = 2 * time.Hour

// ourFolders are the first parts of the keys that releases have, beside their versions.
var ourFolders = []string{manifests.AgentPackage, manifests.UpdaterPackage, "ssm-setup", "latest", "stable"}

// abandons is a target that can hold parts of objects which were never completed.
type abandons interface {
	abandon(ctx context.Context, before time.Time)
}

// abandon removes the parts that killed publications left below this target's prefix: they are seen by none, and cost money. It takes
// uploads of our own keys that began before a time. Where the account may not list them they stay: that is no reason to publish nothing.
func (b *store) abandon(ctx context.Context, before time.Time) {
	in := &s3.ListMultipartUploadsInput{Bucket: &b.name}
	prefix := ""
	if b.prefix != "" {
		prefix = b.prefix + "/"
		in.Prefix = &prefix
	}
	pages := s3.NewListMultipartUploadsPaginator(b.client, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return
		}
		for _, up := range page.Uploads {
			if up.Key == nil || up.Initiated == nil || !up.Initiated.Before(before) || !isOurKey(strings.TrimPrefix(*up.Key, prefix)) {
				continue
			}
			_, _ = b.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &b.name, Key: up.Key, UploadId: up.UploadId})
		}
	}
}

// isOurKey tells whether a release could have put an object of this key there: the bucket may serve others, too.
func isOurKey(key string) bool {
	folder, _, ok := strings.Cut(key, "/")
	if !ok {
		return false
	}
	_, err := manifests.ParseVersion(folder)
	return err == nil || slices.Contains(ourFolders, folder)
}

func (k kept) abandon(ctx context.Context, before time.Time) {
	if t, ok := k.Target.(abandons); ok {
		t.abandon(ctx, before)
	}
}
