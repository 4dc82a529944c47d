package publish_test

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/regions"
)

// Parts that a killed publication left are removed by one that comes later; not those of another that may be at work, nor what other
// programs keep in the bucket. A dry run removes nothing.
func TestPartsOfKilledPublicationsAreRemovedByALaterOne(t *testing.T) {
	r, to := region(t)
	cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRegion(r.Name()))
	if err != nil {
		t.Fatal(err)
	}
	url, bucket := r.URL(), regions.Bucket(r.Name())
	client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.BaseEndpoint, o.UsePathStyle = &url, true })
	begin := func(keys ...string) {
		for _, key := range keys {
			if _, err := client.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &bucket, Key: &key}); err != nil {
				t.Fatal(err)
			}
		}
	}
	r.Advance(-3 * time.Hour)
	begin("amazon-ssm-agent/9.0.9.0/old", "9.0.9.0/linux_amd64/old", "ssm-setup/9.0.9.0/old", "others/old", "old", "latest-news/old")
	r.Advance(3 * time.Hour)
	begin("amazon-ssm-agent/9.1.0.0/young")
	uploads := func() (keys []string) {
		out, err := client.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &bucket})
		if err != nil {
			t.Fatal(err)
		}
		for _, up := range out.Uploads {
			keys = append(keys, *up.Key)
		}
		slices.Sort(keys)
		return keys
	}
	publishTo(t, to, release(t, "9.1.0.0", "a"), publish.Options{Region: r.Name(), DryRun: true})
	if got := uploads(); len(got) != 7 {
		t.Errorf("after a dry run: %v", got)
	}
	publishTo(t, to, release(t, "9.1.0.0", "a"), publish.Options{Region: r.Name()})
	if got, want := uploads(), []string{"amazon-ssm-agent/9.1.0.0/young", "latest-news/old", "old", "others/old"}; !slices.Equal(got, want) {
		t.Errorf("left: %v, want %v", got, want)
	}
}
