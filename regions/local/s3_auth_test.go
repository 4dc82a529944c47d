package local_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

// trust is a TLS configuration that trusts the region's CA alone.
func trust(t *testing.T, r *local.Region) *tls.Config {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(need[[]byte](t)(os.ReadFile(r.CAFile()))) {
		t.Fatal("ca.pem holds no certificate")
	}
	return &tls.Config{RootCAs: pool}
}

func TestUnsignedRequestsReadTheRegionsBucketAndNothingElse(t *testing.T) {
	r := local.Start(t)
	ctx, b, private := context.Background(), bucket, "private"
	boss, anon := admin(t, r), client(t, r.URL(), nil)
	need[*s3.CreateBucketOutput](t)(boss.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &private}))
	put(t, boss, private, "k", "secret")
	put(t, boss, bucket, "k", "open")
	put(t, boss, "ec2-downloads-windows", "SSMAgent/latest/VERSION", "9.1.0.0")
	if got := read(t, anon, bucket, "k"); got != "open" {
		t.Errorf("public read: %q", got)
	}
	if got := read(t, anon, "ec2-downloads-windows", "SSMAgent/latest/VERSION"); got != "9.1.0.0" {
		t.Errorf("global copy: %q", got)
	}
	if _, err := anon.GetObject(ctx, &s3.GetObjectInput{Bucket: &b, Key: aws.String("none")}); code(err) != "NoSuchKey" {
		t.Errorf("missing object: %v", err)
	}
	_, list := anon.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &b})
	_, write := anon.PutObject(ctx, &s3.PutObjectInput{Bucket: &b, Key: aws.String("k"), Body: strings.NewReader("x")})
	_, remove := anon.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b, Key: aws.String("k")})
	_, buckets := anon.ListBuckets(ctx, &s3.ListBucketsInput{})
	_, steal := anon.GetObject(ctx, &s3.GetObjectInput{Bucket: &private, Key: aws.String("k")})
	for name, err := range map[string]error{"list": list, "write": write, "delete": remove, "buckets": buckets, "private": steal} {
		if code(err) != "AccessDenied" {
			t.Errorf("anonymous %s: %v", name, err)
		}
	}
	if got := read(t, boss, bucket, "k"); got != "open" {
		t.Errorf("changed: %q", got)
	}
}

func TestS3ChecksSignatures(t *testing.T) {
	r := local.Start(t)
	try := func(c local.Credentials, change ...func(*s3.Options)) string {
		_, err := client(t, r.URL(), &c, change...).ListBuckets(context.Background(), &s3.ListBucketsInput{})
		return code(err)
	}
	good := r.Admin()
	bad := good
	bad.SecretAccessKey += "x"
	unknown := good
	unknown.AccessKeyID = "AKIAUNKNOWN"
	token := good
	token.SessionToken = "made-up"
	for _, row := range []struct{ name, got, want string }{
		{"wrong secret", try(bad), "SignatureDoesNotMatch"},
		{"unknown key", try(unknown), "InvalidAccessKeyId"},
		{"made-up token", try(token), "InvalidToken"},
		{"other region", try(good, func(o *s3.Options) { o.Region = "eu-west-1" }), "AuthorizationHeaderMalformed"},
	} {
		if row.got != row.want {
			t.Errorf("%s: %s, want %s", row.name, row.got, row.want)
		}
	}
	r.Skew(20 * time.Minute)
	if got := try(good); got != "RequestTimeTooSkewed" {
		t.Errorf("clock off: %s", got)
	}
	r.Skew(0)
	r.Advance(time.Hour)
	if _, err := admin(t, r).ListBuckets(context.Background(), &s3.ListBucketsInput{}); err != nil {
		t.Errorf("advancing the region's clock broke signatures: %v", err)
	}
}

func TestPresignedRequestsAreGoodForTheirTime(t *testing.T) {
	r := local.Start(t)
	private, ctx := "private", context.Background()
	need[*s3.CreateBucketOutput](t)(admin(t, r).CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &private}))
	put(t, admin(t, r), private, "a key", "v")
	signer := s3.NewPresignClient(admin(t, r))
	signed := need[*v4.PresignedHTTPRequest](t)(signer.PresignGetObject(ctx, &s3.GetObjectInput{Bucket: &private, Key: aws.String("a key")}))
	if status, body := get(t, signed.URL); status != 200 || body != "v" {
		t.Errorf("%d %s", status, body)
	}
	if status, body := get(t, signed.URL+"0"); status != 403 || !strings.Contains(body, "SignatureDoesNotMatch") {
		t.Errorf("changed signature: %d %s", status, body)
	}
	r.Skew(16 * time.Minute)
	if status, body := get(t, signed.URL); status != 403 || !strings.Contains(body, "Request has expired") {
		t.Errorf("too late: %d %s", status, body)
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp := need[*http.Response](t)(http.Get(url))
	defer resp.Body.Close()
	return resp.StatusCode, string(need[[]byte](t)(io.ReadAll(resp.Body)))
}
