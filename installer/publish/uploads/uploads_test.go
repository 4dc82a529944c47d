package uploads_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/ssm-setup/ssm-setup/installer/publish/uploads"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/local"
)

func bucket(t *testing.T, prefix string) (*local.Region, uploads.Bucket) {
	t.Helper()
	r := local.Start(t)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRegion(r.Name()),
		config.WithSharedCredentialsFiles([]string{r.CredentialsFile()}))
	if err != nil {
		t.Fatal(err)
	}
	url := r.URL()
	client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.BaseEndpoint, o.UsePathStyle = &url, true })
	return r, uploads.Bucket{Client: client, Name: regions.Bucket(r.Name()), Prefix: prefix}
}

func begin(t *testing.T, b uploads.Bucket, key string) (id string) {
	t.Helper()
	out, err := b.Client.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &b.Name, Key: aws.String(key)})
	if err != nil {
		t.Fatal(err)
	}
	return *out.UploadId
}

func left(t *testing.T, b uploads.Bucket) (keys []string) {
	t.Helper()
	out, err := b.Client.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &b.Name})
	if err != nil {
		t.Fatal(err)
	}
	for _, up := range out.Uploads {
		keys = append(keys, *up.Key)
	}
	slices.Sort(keys)
	return keys
}

// Markers decide, by the bucket's clock, where there is one; two hours where there is none. Keys of other programs stay whatever a
// marker says.
func TestMarkersDecideWhatIsRemoved(t *testing.T) {
	for _, prefix := range []string{"", "SSMAgent"} {
		r, b := bucket(t, prefix)
		at := func(key string) string { return strings.TrimPrefix(prefix+"/"+key, "/") }
		mark := func(name string, ids ...string) {
			for i, id := range ids {
				ids[i] = `"` + id + `":"x"`
			}
			if err := r.Put(at("ssm-setup-uploads/"+name), []byte(`{"uploads":{`+strings.Join(ids, ",")+`}}`)); err != nil {
				t.Fatal(err)
			}
		}
		r.Advance(-3 * time.Hour)
		slow := begin(t, b, at("latest/slow and held"))
		begin(t, b, at("latest/old"))
		r.Advance(3*time.Hour - 6*time.Minute)
		mark("dead", begin(t, b, at("9.1.0.0/killed")), begin(t, b, at("others/killed")))
		if err := r.Put(at("ssm-setup-uploads/damaged"), []byte("{")); err != nil {
			t.Fatal(err)
		}
		r.Advance(6 * time.Minute)
		mark("live", slow, begin(t, b, at("latest/held")))
		begin(t, b, at("latest/young"))

		b.Sweep(t.Context())
		want := []string{at("latest/held"), at("latest/slow and held"), at("latest/young"), at("others/killed")}
		if got := left(t, b); !slices.Equal(got, want) {
			t.Errorf("left: %q, want %q", got, want)
		}
		if keys, err := r.Keys(at("ssm-setup-uploads/")); err != nil || !slices.Equal(keys, []string{at("ssm-setup-uploads/live")}) {
			t.Errorf("markers: %v, %v", keys, err)
		}
	}
}

// A marker is written anew for as long as something is under way, and goes with the last upload.
func TestAMarkerIsRefreshedUntilTheLastUploadEnds(t *testing.T) {
	r, b := bucket(t, "")
	own := uploads.NewRegister(b, 10*time.Millisecond)
	markers := func() []string {
		keys, err := r.Keys("ssm-setup-uploads/")
		if err != nil {
			t.Fatal(err)
		}
		return keys
	}
	own.Begin(t.Context(), "1", "latest/one")
	own.Begin(t.Context(), "2", "latest/two")
	own.End(t.Context(), "1")
	if len(markers()) != 1 {
		t.Fatalf("markers: %v", markers())
	}
	if err := r.Delete(markers()[0]); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(2 * time.Minute); len(markers()) == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the marker was not written anew")
		}
	}
	own.End(t.Context(), "2")
	for range 20 {
		if time.Sleep(10 * time.Millisecond); len(markers()) > 0 {
			t.Fatalf("after the last: %v", markers())
		}
	}
	own.Begin(t.Context(), "3", "latest/three")
	if len(markers()) != 1 {
		t.Errorf("of the next upload: %v", markers())
	}
	own.End(t.Context(), "3")
}

// Where markers may be neither written nor read, two hours count.
func TestWithoutMarkersTwoHoursCount(t *testing.T) {
	r, b := bucket(t, "")
	r.Break("ListObjectsV2", -1, 403, "AccessDenied")
	r.Advance(-3 * time.Hour)
	begin(t, b, "latest/old")
	r.Advance(3 * time.Hour)
	begin(t, b, "latest/young")
	b.Sweep(t.Context())
	if got := left(t, b); !slices.Equal(got, []string{"latest/young"}) {
		t.Errorf("left: %q", got)
	}
}
