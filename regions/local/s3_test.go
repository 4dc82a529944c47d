package local_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

// client is an S3 client of the SDK for a region; anonymous without credentials.
func client(t *testing.T, endpoint string, c *local.Credentials, change ...func(*s3.Options)) *s3.Client {
	t.Helper()
	o := s3.Options{Region: "local", BaseEndpoint: aws.String(endpoint), UsePathStyle: true, RetryMaxAttempts: 1,
		Credentials: aws.AnonymousCredentials{}, HTTPClient: &http.Client{Transport: &http.Transport{}}}
	if c != nil {
		o.Credentials = credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken)
	}
	for _, f := range change {
		f(&o)
	}
	t.Cleanup(o.HTTPClient.(*http.Client).CloseIdleConnections)
	return s3.New(o)
}

func admin(t *testing.T, r *local.Region) *s3.Client {
	c := r.Admin()
	return client(t, r.URL(), &c)
}

// code is the AWS error code of err.
func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

// need ends the test at an error: need[T](t)(f()).
func need[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

const bucket = "amazon-ssm-local"

func put(t *testing.T, c *s3.Client, bucket, key, body string) *s3.PutObjectOutput {
	t.Helper()
	return need[*s3.PutObjectOutput](t)(c.PutObject(context.Background(),
		&s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(body)}))
}

func read(t *testing.T, c *s3.Client, bucket, key string) string {
	t.Helper()
	out := need[*s3.GetObjectOutput](t)(c.GetObject(context.Background(), &s3.GetObjectInput{Bucket: &bucket, Key: &key}))
	defer out.Body.Close()
	return string(need[[]byte](t)(io.ReadAll(out.Body)))
}

func TestObjectKeepsWhatItWasGiven(t *testing.T) {
	r := local.Start(t)
	c, ctx, key := admin(t, r), context.Background(), "a dir/ü+%&=?#.txt"
	in := &s3.PutObjectInput{Bucket: aws.String(bucket), Key: &key, Body: strings.NewReader("hello"), ContentType: aws.String("text/x-test"),
		CacheControl: aws.String("no-store"), Metadata: map[string]string{"who": "me"}, ChecksumAlgorithm: types.ChecksumAlgorithmCrc32}
	need[*s3.PutObjectOutput](t)(c.PutObject(ctx, in))
	head := need[*s3.HeadObjectOutput](t)(c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: in.Bucket, Key: &key}))
	if *head.ContentType != "text/x-test" || head.Metadata["who"] != "me" || *head.CacheControl != "no-store" || *head.ContentLength != 5 {
		t.Errorf("head: %+v", head)
	}
	if want := fmt.Sprintf(`"%x"`, md5.Sum([]byte("hello"))); *head.ETag != want {
		t.Errorf("etag %s, want %s", *head.ETag, want)
	}
	got := need[*s3.GetObjectOutput](t)(c.GetObject(ctx, &s3.GetObjectInput{Bucket: in.Bucket, Key: &key,
		ChecksumMode: types.ChecksumModeEnabled}))
	if body := need[[]byte](t)(io.ReadAll(got.Body)); string(body) != "hello" || got.ChecksumCRC32 == nil {
		t.Errorf("body %q, checksum %v", body, got.ChecksumCRC32)
	}
	need[*s3.DeleteObjectOutput](t)(c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: in.Bucket, Key: &key}))
	if _, err := c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: in.Bucket, Key: &key}); code(err) != "NotFound" {
		t.Errorf("after delete: %v", err)
	}
	if _, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: in.Bucket, Key: &key}); code(err) != "NoSuchKey" {
		t.Errorf("after delete: %v", err)
	}
}

func TestEveryChecksumOverBothProtocols(t *testing.T) {
	r := local.Start(t)
	pool := trust(t, r)
	for _, endpoint := range []string{r.URL(), r.TLSURL()} {
		creds := r.Admin()
		c := client(t, endpoint, &creds, func(o *s3.Options) {
			o.HTTPClient = &http.Client{Transport: &http.Transport{TLSClientConfig: pool}}
		})
		for _, a := range types.ChecksumAlgorithm("").Values() {
			key, b := "sum/"+string(a), bucket
			in := &s3.PutObjectInput{Bucket: &b, Key: &key, Body: bytes.NewReader(bytes.Repeat([]byte(a), 50_000)), ChecksumAlgorithm: a}
			if _, err := c.PutObject(context.Background(), in); err != nil {
				if !strings.Contains("CRC32 CRC32C CRC64NVME SHA1 SHA256", string(a)) {
					continue
				}
				t.Errorf("%s %s: %v", endpoint, a, err)
				continue
			}
			out := need[*s3.GetObjectOutput](t)(c.GetObject(context.Background(),
				&s3.GetObjectInput{Bucket: &b, Key: &key, ChecksumMode: types.ChecksumModeEnabled}))
			if body, err := io.ReadAll(out.Body); err != nil || len(body) != 50_000*len(a) {
				t.Errorf("%s %s: %d bytes, %v", endpoint, a, len(body), err)
			}
		}
	}
	sent := r.Calls("PutObject")
	if h := sent[len(sent)-1].Header.Get("X-Amz-Content-Sha256"); h != "STREAMING-UNSIGNED-PAYLOAD-TRAILER" {
		t.Errorf("the SDK does not send aws-chunked over TLS any more but %s: this test proves less than it says", h)
	}
}

func TestRangesAndConditionsAreHonoured(t *testing.T) {
	r := local.Start(t)
	if err := r.Put("digits", []byte("0123456789")); err != nil {
		t.Fatal(err)
	}
	etag := fmt.Sprintf(`"%x"`, md5.Sum([]byte("0123456789")))
	now, past := time.Now().Add(time.Hour).UTC().Format(http.TimeFormat), time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)
	for _, row := range []struct {
		name, value string
		status      int
		body        string
	}{
		{"Range", "bytes=2-4", 206, "234"},
		{"Range", "bytes=7-", 206, "789"},
		{"Range", "bytes=7-99", 206, "789"},
		{"Range", "bytes=-3", 206, "789"},
		{"Range", "bytes=-99", 206, "0123456789"},
		{"Range", "bytes=10-", 416, ""},
		{"Range", "bytes=-0", 416, ""},
		{"Range", "bytes=4-2", 200, "0123456789"},
		{"Range", "bytes=0-1,3-4", 200, "0123456789"},
		{"Range", "lines=0-1", 200, "0123456789"},
		{"If-None-Match", etag, 304, ""},
		{"If-None-Match", `"other"`, 200, "0123456789"},
		{"If-Match", etag, 200, "0123456789"},
		{"If-Match", `"other"`, 412, ""},
		{"If-Modified-Since", now, 304, ""},
		{"If-Modified-Since", past, 200, "0123456789"},
		{"If-Unmodified-Since", past, 412, ""},
		{"If-Unmodified-Since", now, 200, "0123456789"},
	} {
		req, _ := http.NewRequest("GET", r.URL()+"/"+bucket+"/digits", nil)
		req.Header.Set(row.name, row.value)
		resp := need[*http.Response](t)(http.DefaultClient.Do(req))
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != row.status || row.body != "" && string(body) != row.body {
			t.Errorf("%s: %s: %d %q, want %d %q", row.name, row.value, resp.StatusCode, body, row.status, row.body)
		}
	}
}

func TestWritesHonourConditions(t *testing.T) {
	r := local.Start(t)
	c, ctx, b, key := admin(t, r), context.Background(), bucket, "once"
	try := func(match, none *string) error {
		_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: &b, Key: &key, Body: strings.NewReader("x"), IfMatch: match, IfNoneMatch: none})
		return err
	}
	star := "*"
	if err := try(nil, &star); err != nil {
		t.Error(err)
	}
	if err := try(nil, &star); code(err) != "PreconditionFailed" {
		t.Errorf("a second If-None-Match: * gives %v", err)
	}
	if err := try(aws.String(`"feed"`), nil); code(err) != "PreconditionFailed" {
		t.Errorf("wrong If-Match gives %v", err)
	}
	key = "never"
	if err := try(aws.String(`"feed"`), nil); code(err) != "NoSuchKey" {
		t.Errorf("If-Match on nothing gives %v", err)
	}
}

func TestOnlyOneOfManyWinsIfNoneMatch(t *testing.T) {
	r := local.Start(t)
	c, b, key, star := admin(t, r), bucket, "race", "*"
	var won sync.Map
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			_, err := c.PutObject(context.Background(), &s3.PutObjectInput{Bucket: &b, Key: &key, Body: strings.NewReader(fmt.Sprint(i)),
				IfNoneMatch: &star})
			if err == nil {
				won.Store(i, true)
			} else if code(err) != "PreconditionFailed" {
				t.Error(err)
			}
		})
	}
	all.Wait()
	n := 0
	won.Range(func(i, _ any) bool {
		n++
		if got := read(t, c, bucket, key); got != fmt.Sprint(i) {
			t.Errorf("object is %s, winner was %v", got, i)
		}
		return true
	})
	if n != 1 {
		t.Errorf("%d writers won", n)
	}
}

func TestReadersSeeWholeObjectsWhileWritersReplaceThem(t *testing.T) {
	r := local.Start(t)
	c := admin(t, r)
	put(t, c, bucket, "k", strings.Repeat("a", 100_000))
	var all sync.WaitGroup
	for _, letter := range "bcde" {
		all.Go(func() {
			for range 8 {
				put(t, c, bucket, "k", strings.Repeat(string(letter), 100_000))
			}
		})
		all.Go(func() {
			for range 16 {
				got := read(t, c, bucket, "k")
				if len(got) != 100_000 || strings.Trim(got, got[:1]) != "" {
					t.Errorf("%d bytes, mixed", len(got))
				}
			}
		})
	}
	all.Wait()
	if n := bodies(t, r); n != 1 {
		t.Errorf("%d body files left for one object", n)
	}
}

// bodies counts the files under objects/.
func bodies(t *testing.T, r *local.Region) (n int) {
	t.Helper()
	dirs := need[[]os.DirEntry](t)(os.ReadDir(r.Data() + "/objects"))
	for _, d := range dirs {
		if !d.IsDir() {
			n++
			continue
		}
		n += len(need[[]os.DirEntry](t)(os.ReadDir(r.Data() + "/objects/" + d.Name())))
	}
	return n
}

func TestListingsHavePagesAndCommonPrefixes(t *testing.T) {
	r := local.Start(t)
	c, ctx, b := admin(t, r), context.Background(), bucket
	keys := []string{"a", "b/1", "b/2", "b/c/3", "b0", "ü/x", "z z+"}
	for _, k := range keys {
		if err := r.Put(k, []byte(k)); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range []struct{ prefix, delimiter, after, want string }{
		{"", "", "", "a b/1 b/2 b/c/3 b0 z z+ ü/x"},
		{"b", "", "", "b/1 b/2 b/c/3 b0"},
		{"", "/", "", "a [b/] b0 z z+ [ü/]"},
		{"b/", "/", "", "b/1 b/2 [b/c/]"},
		{"b/", "", "b/1", "b/2 b/c/3"},
		{"", "/", "b/", "b0 z z+ [ü/]"},
		{"nothing", "", "", ""},
		{"", "", "ü/x", ""},
	} {
		for most := int32(1); most < 5; most++ {
			in := &s3.ListObjectsV2Input{Bucket: &b, Prefix: &row.prefix, Delimiter: &row.delimiter, StartAfter: &row.after, MaxKeys: &most}
			var got []string
			for pages := s3.NewListObjectsV2Paginator(c, in); pages.HasMorePages(); {
				p := need[*s3.ListObjectsV2Output](t)(pages.NextPage(ctx))
				var names []string
				for _, o := range p.Contents {
					names = append(names, *o.Key)
				}
				for _, o := range p.CommonPrefixes {
					names = append(names, "["+*o.Prefix+"]")
				}
				slices.SortFunc(names, func(a, b string) int { return strings.Compare(strings.Trim(a, "[]"), strings.Trim(b, "[]")) })
				got = append(got, names...)
				if int32(len(names)) > most || *p.KeyCount != int32(len(names)) {
					t.Errorf("%d entries on a page of %d, KeyCount %d", len(names), most, *p.KeyCount)
				}
			}
			if strings.Join(got, " ") != row.want {
				t.Errorf("%+v by %d: %q, want %q", row, most, got, row.want)
			}
		}
	}
	v1 := need[*s3.ListObjectsOutput](t)(c.ListObjects(ctx, &s3.ListObjectsInput{Bucket: &b, Delimiter: aws.String("/"),
		MaxKeys: aws.Int32(2), EncodingType: types.EncodingTypeUrl}))
	if !*v1.IsTruncated || *v1.NextMarker != "b/" || len(v1.CommonPrefixes) != 1 || v1.Contents[0].Owner == nil {
		t.Errorf("version 1: %+v", v1)
	}
	v1 = need[*s3.ListObjectsOutput](t)(c.ListObjects(ctx, &s3.ListObjectsInput{Bucket: &b, Marker: aws.String("b/"),
		Delimiter: aws.String("/"), EncodingType: types.EncodingTypeUrl}))
	if last := v1.Contents[len(v1.Contents)-1]; *last.Key != "z+z%2B" || *v1.CommonPrefixes[0].Prefix != "%C3%BC/" {
		t.Errorf("url encoding: %q %q", *last.Key, *v1.CommonPrefixes[0].Prefix)
	}
}

func TestPartsBecomeOneObject(t *testing.T) {
	r := local.Start(t)
	c, ctx, b, key := admin(t, r), context.Background(), bucket, "big"
	up := need[*s3.CreateMultipartUploadOutput](t)(c.CreateMultipartUpload(ctx,
		&s3.CreateMultipartUploadInput{Bucket: &b, Key: &key, ContentType: aws.String("x/y")}))
	part := func(n int32, body string) types.CompletedPart {
		out := need[*s3.UploadPartOutput](t)(c.UploadPart(ctx, &s3.UploadPartInput{Bucket: &b, Key: &key, UploadId: up.UploadId,
			PartNumber: &n, Body: strings.NewReader(body)}))
		return types.CompletedPart{PartNumber: &n, ETag: out.ETag}
	}
	complete := func(parts ...types.CompletedPart) (*s3.CompleteMultipartUploadOutput, error) {
		return c.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: &b, Key: &key, UploadId: up.UploadId,
			MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
	}
	five := strings.Repeat("f", 5<<20)
	one, two := part(1, "old"), part(2, "tail")
	if _, err := complete(one, two); code(err) != "EntityTooSmall" {
		t.Errorf("small part: %v", err)
	}
	before := one
	one = part(1, five)
	for want, parts := range map[string][]types.CompletedPart{
		"InvalidPartOrder": {two, one}, "InvalidPart": {before, two}, "MalformedXML": {},
	} {
		if _, err := complete(parts...); code(err) != want {
			t.Errorf("%s: %v", want, err)
		}
	}
	list := need[*s3.ListPartsOutput](t)(c.ListParts(ctx, &s3.ListPartsInput{Bucket: &b, Key: &key, UploadId: up.UploadId}))
	if len(list.Parts) != 2 || *list.Parts[1].Size != 4 {
		t.Errorf("parts: %+v", list.Parts)
	}
	if ups := need[*s3.ListMultipartUploadsOutput](t)(c.ListMultipartUploads(ctx,
		&s3.ListMultipartUploadsInput{Bucket: &b})); len(ups.Uploads) != 1 {
		t.Errorf("uploads: %+v", ups.Uploads)
	}
	if _, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: &b, Key: &key}); code(err) != "NoSuchKey" {
		t.Errorf("visible before it is complete: %v", err)
	}
	out := need[*s3.CompleteMultipartUploadOutput](t)(complete(one, two))
	if !strings.HasSuffix(*out.ETag, `-2"`) {
		t.Errorf("etag %s", *out.ETag)
	}
	if got := read(t, c, b, key); got != five+"tail" {
		t.Errorf("%d bytes", len(got))
	}
	head := need[*s3.HeadObjectOutput](t)(c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b, Key: &key, PartNumber: aws.Int32(2)}))
	if *head.PartsCount != 2 || *head.ContentLength != 4 || *head.ContentType != "x/y" {
		t.Errorf("part 2: %+v", head)
	}
	if _, err := complete(one, two); code(err) != "NoSuchUpload" {
		t.Errorf("completed twice: %v", err)
	}
	if n := bodies(t, r); n != 1 {
		t.Errorf("%d body files left", n)
	}
}

func TestAnUploadIsAbortedAndPartsAreCopied(t *testing.T) {
	r := local.Start(t)
	c, ctx, b, key := admin(t, r), context.Background(), bucket, "copy"
	if err := r.Put("source", []byte("0123456789")); err != nil {
		t.Fatal(err)
	}
	up := need[*s3.CreateMultipartUploadOutput](t)(c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &b, Key: &key}))
	cp := need[*s3.UploadPartCopyOutput](t)(c.UploadPartCopy(ctx,
		&s3.UploadPartCopyInput{Bucket: &b, Key: &key, UploadId: up.UploadId, PartNumber: aws.Int32(1),
			CopySource: aws.String(bucket + "/source"), CopySourceRange: aws.String("bytes=3-5")}))
	need[*s3.CompleteMultipartUploadOutput](t)(c.CompleteMultipartUpload(ctx,
		&s3.CompleteMultipartUploadInput{Bucket: &b, Key: &key, UploadId: up.UploadId,
			MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: aws.Int32(1),
				ETag: cp.CopyPartResult.ETag}}}}))
	if got := read(t, c, b, key); got != "345" {
		t.Errorf("copied part: %q", got)
	}
	up = need[*s3.CreateMultipartUploadOutput](t)(c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &b, Key: &key}))
	need[*s3.UploadPartOutput](t)(c.UploadPart(ctx, &s3.UploadPartInput{Bucket: &b, Key: &key, UploadId: up.UploadId,
		PartNumber: aws.Int32(1), Body: strings.NewReader("x")}))
	need[*s3.AbortMultipartUploadOutput](t)(c.AbortMultipartUpload(ctx,
		&s3.AbortMultipartUploadInput{Bucket: &b, Key: &key, UploadId: up.UploadId}))
	if n := bodies(t, r); n != 2 {
		t.Errorf("%d body files, want 2", n)
	}
	need[*s3.CopyObjectOutput](t)(c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: &b, Key: aws.String("sp ace"),
		CopySource: aws.String(bucket + "/source")}))
	if got := read(t, c, b, "sp ace"); got != "0123456789" {
		t.Errorf("copy: %q", got)
	}
	tags := need[*s3.GetObjectTaggingOutput](t)(c.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: &b, Key: aws.String("sp ace")}))
	if len(tags.TagSet) != 0 {
		t.Errorf("tags: %v", tags.TagSet)
	}
	if _, err := c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: &b, Key: aws.String("source"),
		CopySource: aws.String(bucket + "/source")}); code(err) != "InvalidRequest" {
		t.Errorf("copied to itself: %v", err)
	}
}

func TestBucketsAreMadeListedAndDeleted(t *testing.T) {
	r := local.Start(t)
	c, ctx, name := admin(t, r), context.Background(), "my-logs"
	need[*s3.CreateBucketOutput](t)(c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name,
		CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "local"}}))
	if _, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name}); code(err) != "BucketAlreadyOwnedByYou" {
		t.Errorf("made twice: %v", err)
	}
	if _, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("No_Name")}); code(err) != "InvalidBucketName" {
		t.Errorf("bad name: %v", err)
	}
	list := need[*s3.ListBucketsOutput](t)(c.ListBuckets(ctx, &s3.ListBucketsInput{}))
	var names []string
	for _, b := range list.Buckets {
		names = append(names, *b.Name)
	}
	if want := []string{bucket, "ec2-downloads-windows", name}; !slices.Equal(names, want) {
		t.Errorf("buckets %q, want %q", names, want)
	}
	if l := need[*s3.GetBucketLocationOutput](t)(c.GetBucketLocation(ctx,
		&s3.GetBucketLocationInput{Bucket: &name})); l.LocationConstraint != "local" {
		t.Errorf("location %q", l.LocationConstraint)
	}
	if h := need[*s3.HeadBucketOutput](t)(c.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &name})); *h.BucketRegion != "local" {
		t.Errorf("region %q", *h.BucketRegion)
	}
	if _, err := c.GetBucketEncryption(ctx,
		&s3.GetBucketEncryptionInput{Bucket: &name}); code(err) != "ServerSideEncryptionConfigurationNotFoundError" {
		t.Errorf("encryption: %v", err)
	}
	put(t, c, name, "x/y", "1")
	put(t, c, name, "z", "1")
	if _, err := c.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &name}); code(err) != "BucketNotEmpty" {
		t.Errorf("not empty: %v", err)
	}
	gone := need[*s3.DeleteObjectsOutput](t)(c.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &name, Delete: &types.Delete{
		Objects: []types.ObjectIdentifier{{Key: aws.String("x/y")}, {Key: aws.String("z")}, {Key: aws.String("never")}}}}))
	if len(gone.Deleted) != 3 || len(gone.Errors) != 0 {
		t.Errorf("deleted %+v", gone)
	}
	need[*s3.DeleteBucketOutput](t)(c.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &name}))
	if _, err := c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &name}); code(err) != "NoSuchBucket" {
		t.Errorf("deleted bucket: %v", err)
	}
	if _, err := c.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: aws.String(bucket)}); code(err) != "NotImplemented" {
		t.Errorf("policy: %v", err)
	}
}

func TestABucketMayStandInFrontOfTheHost(t *testing.T) {
	r := local.Start(t)
	if err := r.Put("latest/VERSION", []byte("9.1.0.0")); err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{bucket + ".localhost", bucket + ".s3.local.example:1234"} {
		req, _ := http.NewRequest("GET", r.URL()+"/latest/VERSION", nil)
		req.Host = host
		resp := need[*http.Response](t)(http.DefaultClient.Do(req))
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(body) != "9.1.0.0" {
			t.Errorf("%s: %d %q", host, resp.StatusCode, body)
		}
	}
}
