package local_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

func TestMetadataKeysComeBackInLowerCase(t *testing.T) {
	r := local.Start(t)
	key := "k"
	need[*s3.PutObjectOutput](t)(admin(t, r).PutObject(context.Background(), &s3.PutObjectInput{Bucket: aws.String(bucket), Key: &key,
		Metadata: map[string]string{"colour": "blue"}, Body: strings.NewReader("x")}))
	c := need[net.Conn](t)(net.Dial("tcp", strings.TrimPrefix(r.URL(), "http://")))
	defer c.Close()
	need[int](t)(io.WriteString(c, "HEAD /"+bucket+"/k HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
	if text := string(need[[]byte](t)(io.ReadAll(c))); !strings.Contains(text, "\r\nx-amz-meta-colour: blue\r\n") {
		t.Error(text)
	}
}

// upload sends two parts and completes them.
func upload(t *testing.T, c *s3.Client, key string, in s3.CreateMultipartUploadInput) *s3.CompleteMultipartUploadOutput {
	t.Helper()
	ctx, b := context.Background(), bucket
	in.Bucket, in.Key = &b, &key
	up := need[*s3.CreateMultipartUploadOutput](t)(c.CreateMultipartUpload(ctx, &in))
	var parts []types.CompletedPart
	for i, body := range []string{strings.Repeat("a", 5<<20), "b"} {
		n := int32(i + 1)
		p := need[*s3.UploadPartOutput](t)(c.UploadPart(ctx, &s3.UploadPartInput{Bucket: &b, Key: &key, UploadId: up.UploadId, PartNumber: &n,
			Body: strings.NewReader(body), ChecksumAlgorithm: in.ChecksumAlgorithm}))
		parts = append(parts, types.CompletedPart{PartNumber: &n, ETag: p.ETag, ChecksumCRC32: p.ChecksumCRC32})
	}
	listed := need[*s3.ListPartsOutput](t)(c.ListParts(ctx, &s3.ListPartsInput{Bucket: &b, Key: &key, UploadId: up.UploadId}))
	if listed.ChecksumAlgorithm != in.ChecksumAlgorithm || listed.ChecksumType == "" || len(listed.Parts) != 2 ||
		listed.Parts[0].ChecksumCRC32 == nil && listed.Parts[0].ChecksumCRC64NVME == nil {
		t.Errorf("%s: parts %+v", key, listed)
	}
	return need[*s3.CompleteMultipartUploadOutput](t)(c.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: &b, Key: &key,
		UploadId: up.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}}))
}

func TestUploadsInPartsAnswerWithTheirChecksum(t *testing.T) {
	r := local.Start(t)
	c, ctx, b := admin(t, r), context.Background(), bucket
	composite := upload(t, c, "composite", s3.CreateMultipartUploadInput{ChecksumAlgorithm: types.ChecksumAlgorithmCrc32})
	whole := upload(t, c, "whole", s3.CreateMultipartUploadInput{ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme})
	if aws.ToString(composite.ChecksumCRC32) != "dYPmEQ==-2" || composite.ChecksumType != types.ChecksumTypeComposite {
		t.Errorf("composite: %s %s", aws.ToString(composite.ChecksumCRC32), composite.ChecksumType)
	}
	if aws.ToString(whole.ChecksumCRC64NVME) == "" || whole.ChecksumType != types.ChecksumTypeFullObject {
		t.Errorf("whole: %+v", whole)
	}
	for key, want := range map[string]*string{"composite": composite.ChecksumCRC32, "whole": whole.ChecksumCRC64NVME} {
		head := need[*s3.HeadObjectOutput](t)(c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b, Key: &key,
			ChecksumMode: types.ChecksumModeEnabled}))
		if got := aws.ToString(head.ChecksumCRC32) + aws.ToString(head.ChecksumCRC64NVME); got != aws.ToString(want) || head.ChecksumType == "" {
			t.Errorf("%s: %q %s, want %q", key, got, head.ChecksumType, aws.ToString(want))
		}
	}
	need[*s3.PutObjectOutput](t)(c.PutObject(ctx, &s3.PutObjectInput{Bucket: &b, Key: aws.String("one"), Body: strings.NewReader("x"),
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc32}))
	cp := need[*s3.CopyObjectOutput](t)(c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: &b, Key: aws.String("two"),
		CopySource: aws.String(b + "/one")}))
	if aws.ToString(cp.CopyObjectResult.ChecksumCRC32) == "" || cp.CopyObjectResult.ChecksumType != types.ChecksumTypeFullObject {
		t.Errorf("copy: %+v", cp.CopyObjectResult)
	}
}

// A copy is one piece, and its checksum is of all its bytes, whatever the source's was made of; its conditions are the target's.
func TestACopyHasAChecksumOfAllItsBytesAndKeepsConditions(t *testing.T) {
	r := local.Start(t)
	c, ctx, b := admin(t, r), context.Background(), bucket
	upload(t, c, "composite", s3.CreateMultipartUploadInput{ChecksumAlgorithm: types.ChecksumAlgorithmCrc32})
	sum := sha256.Sum256([]byte(read(t, c, bucket, "composite")))
	in := s3.CopyObjectInput{Bucket: &b, Key: aws.String("copy"), CopySource: aws.String(b + "/composite"),
		ChecksumAlgorithm: types.ChecksumAlgorithmSha256, IfNoneMatch: aws.String("*")}
	cp := need[*s3.CopyObjectOutput](t)(c.CopyObject(ctx, &in)).CopyObjectResult
	if aws.ToString(cp.ChecksumSHA256) != base64.StdEncoding.EncodeToString(sum[:]) || cp.ChecksumType != types.ChecksumTypeFullObject {
		t.Errorf("%+v", cp)
	}
	if _, err := c.CopyObject(ctx, &in); code(err) != "PreconditionFailed" {
		t.Errorf("over one that is there: %v", err)
	}
	in.IfNoneMatch, in.IfMatch = nil, aws.String(`"00000000000000000000000000000000"`)
	if _, err := c.CopyObject(ctx, &in); code(err) != "PreconditionFailed" {
		t.Errorf("over another one: %v", err)
	}
	plain := need[*s3.CopyObjectOutput](t)(c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: &b, Key: aws.String("plain"),
		CopySource: aws.String(b + "/composite")})).CopyObjectResult
	if text := aws.ToString(plain.ChecksumCRC32); text == "" || strings.Contains(text, "-") {
		t.Errorf("the source's kind, of all bytes: %q", text)
	}
}

func TestWhatS3HereCannotDoIsSaid(t *testing.T) {
	r := local.Start(t)
	c, ctx, b, key := admin(t, r), context.Background(), bucket, "k"
	put(t, c, bucket, key, "x")
	_, tagging := c.PutObject(ctx, &s3.PutObjectInput{Bucket: &b, Key: &key, Tagging: aws.String("a=b"), Body: strings.NewReader("y")})
	_, lock := c.PutObject(ctx, &s3.PutObjectInput{Bucket: &b, Key: &key, ObjectLockMode: types.ObjectLockModeCompliance,
		Body: strings.NewReader("y")})
	_, copied := c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: &b, Key: aws.String("l"), CopySource: aws.String(b + "/k"),
		Tagging: aws.String("a=b")})
	_, renamed := c.RenameObject(ctx, &s3.RenameObjectInput{Bucket: &b, Key: aws.String("l"), RenameSource: aws.String("k")})
	_, abac := c.GetBucketAbac(ctx, &s3.GetBucketAbacInput{Bucket: &b})
	for name, err := range map[string]error{"tags of an upload": tagging, "a lock": lock, "tags of a copy": copied, "renaming": renamed,
		"abac": abac} {
		if code(err) != "NotImplemented" {
			t.Errorf("%s: %s", name, code(err))
		}
	}
	if got := read(t, c, bucket, key); got != "x" {
		t.Errorf("changed: %q", got)
	}
}

func TestChannelsAreDeniedInTheWordsThatAgentsKnow(t *testing.T) {
	r := local.Start(t)
	for path, name := range map[string]string{"/v1/control-channel/mi-00000000000000000": "CreateControlChannel",
		"/v1/data-channel/someone-0123": "CreateDataChannel"} {
		resp := need[*http.Response](t)(http.Post(r.URL()+path, "application/json", strings.NewReader("{}")))
		defer resp.Body.Close()
		if text := string(need[[]byte](t)(io.ReadAll(resp.Body))); resp.StatusCode != 403 || !strings.Contains(text, "<AccessDeniedException>") {
			t.Errorf("%s: %d %s", path, resp.StatusCode, text)
		}
		if r.Count(name) != 1 {
			t.Errorf("%s: the call has no name", path)
		}
	}
}
