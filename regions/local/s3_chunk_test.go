package local_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

func makeBucket(t *testing.T, c *s3.Client, name string) {
	t.Helper()
	if err := bucketErr(context.Background(), c, name); err != nil {
		t.Fatal(err)
	}
}

func bucketErr(ctx context.Context, c *s3.Client, name string) error {
	_, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name})
	return err
}

func putErr(ctx context.Context, c *s3.Client, bucket, key string) error {
	_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader("x")})
	return err
}

func deleteErr(ctx context.Context, c *s3.Client, bucket, key string) error {
	_, err := c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: &key})
	return err
}

// streamed is an aws-chunked upload written by hand.
type streamed struct {
	kind    string // value of x-amz-content-sha256
	chunks  []string
	trailer string // "name:value", or empty
	length  int    // declared; 0: the true one
	spoil   func(body string) string
}

// send returns status and body of the answer.
func (s streamed) send(t *testing.T, r *local.Region) (int, string) {
	t.Helper()
	now, creds := time.Now().UTC(), r.Admin()
	req := need[*http.Request](t)(http.NewRequest("PUT", r.URL()+"/"+bucket+"/streamed", nil))
	for _, c := range s.chunks {
		if s.length == 0 || len(c) > 0 {
			s.length += len(c)
		}
	}
	req.Header.Set("X-Amz-Content-Sha256", s.kind)
	req.Header.Set("X-Amz-Decoded-Content-Length", fmt.Sprint(s.length))
	req.Header.Set("Content-Encoding", "aws-chunked")
	if name, _, ok := strings.Cut(s.trailer, ":"); ok {
		req.Header.Set("X-Amz-Trailer", name)
	}
	c := aws.Credentials{AccessKeyID: creds.AccessKeyID, SecretAccessKey: creds.SecretAccessKey}
	err := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }).SignHTTP(context.Background(), c, req, s.kind, "s3",
		"local", now)
	if err != nil {
		t.Fatal(err)
	}
	_, seed, _ := strings.Cut(req.Header.Get("Authorization"), "Signature=")
	body := s.body(now, creds.SecretAccessKey, seed)
	if s.spoil != nil {
		body = s.spoil(body)
	}
	req.Body, req.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	resp := need[*http.Response](t)(http.DefaultClient.Do(req))
	defer resp.Body.Close()
	return resp.StatusCode, string(need[[]byte](t)(io.ReadAll(resp.Body)))
}

func (s streamed) body(now time.Time, secret, previous string) string {
	sign := func(algorithm, hashes string) string {
		key := []byte("AWS4" + secret)
		for _, text := range []string{now.Format("20060102"), "local", "s3", "aws4_request",
			algorithm + "\n" + now.Format("20060102T150405Z") + "\n" + now.Format("20060102") + "/local/s3/aws4_request\n" +
				previous + "\n" + hashes} {
			h := hmac.New(sha256.New, key)
			h.Write([]byte(text))
			key = h.Sum(nil)
		}
		previous = hex.EncodeToString(key)
		return previous
	}
	hash := func(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }
	signed := strings.HasPrefix(s.kind, "STREAMING-AWS4")
	var b strings.Builder
	for _, c := range append(s.chunks, "") {
		fmt.Fprintf(&b, "%x", len(c))
		if signed {
			b.WriteString(";chunk-signature=" + sign("AWS4-HMAC-SHA256-PAYLOAD", hash("")+"\n"+hash(c)))
		}
		b.WriteString("\r\n")
		if c != "" {
			b.WriteString(c + "\r\n")
		}
	}
	if s.trailer != "" {
		b.WriteString(s.trailer + "\r\n")
		if signed {
			b.WriteString("x-amz-trailer-signature:" + sign("AWS4-HMAC-SHA256-TRAILER", hash(s.trailer+"\n")) + "\r\n")
		}
	}
	return b.String() + "\r\n"
}

func TestStreamedUploadsAreCheckedChunkByChunk(t *testing.T) {
	r := local.Start(t)
	text := strings.Repeat("0123456789", 10_000)
	chunks := []string{text[:65536], text[65536:]}
	sum := base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(text))))
	const signed, signedTrailer, trailer = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
		"STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	flip := func(body string) string { return strings.Replace(body, "0123", "0124", 1) }
	for _, row := range []struct {
		name   string
		s      streamed
		status int
		code   string
	}{
		{"signed", streamed{kind: signed, chunks: chunks}, 200, ""},
		{"signed with trailer", streamed{kind: signedTrailer, chunks: chunks, trailer: "x-amz-checksum-crc32:" + sum}, 200, ""},
		{"trailer", streamed{kind: trailer, chunks: chunks, trailer: "x-amz-checksum-crc32:" + sum}, 200, ""},
		{"signed, changed", streamed{kind: signed, chunks: chunks, spoil: flip}, 403, "SignatureDoesNotMatch"},
		{"trailer, changed", streamed{kind: trailer, chunks: chunks, trailer: "x-amz-checksum-crc32:" + sum, spoil: flip}, 400, "BadDigest"},
		{"trailer signature changed", streamed{kind: signedTrailer, chunks: chunks, trailer: "x-amz-checksum-crc32:" + sum,
			spoil: func(b string) string {
				return strings.Replace(b, "trailer-signature:", "trailer-signature:0", 1)
			}}, 403, "SignatureDoesNotMatch"},
		{"trailer missing", streamed{kind: trailer, chunks: chunks, trailer: "x-amz-checksum-crc32:" + sum,
			spoil: func(b string) string { return strings.Replace(b, "x-amz-checksum-crc32:"+sum+"\r\n", "", 1) }}, 400, "MalformedTrailerError"},
		{"another length", streamed{kind: signed, chunks: chunks, length: 5}, 400, "IncompleteBody"},
		{"cut off", streamed{kind: trailer, chunks: chunks, trailer: "x-amz-checksum-crc32:" + sum,
			spoil: func(b string) string { return b[:70_000] }}, 400, "IncompleteBody"},
		{"no chunks at all", streamed{kind: trailer, chunks: chunks, spoil: func(string) string { return "hello" }}, 400, "IncompleteBody"},
		{"odd size", streamed{kind: trailer, chunks: chunks, spoil: func(string) string { return "zz\r\nhello\r\n" }}, 400,
			"InvalidChunkSizeError"},
	} {
		if err := r.Put("streamed", []byte("before")); err != nil {
			t.Fatal(err)
		}
		status, body := row.s.send(t, r)
		if status != row.status || !strings.Contains(body, row.code) {
			t.Errorf("%s: %d %s", row.name, status, body)
		}
		want := "before"
		if row.status == 200 {
			want = text
		}
		if got := need[[]byte](t)(r.Get("streamed")); string(got) != want {
			t.Errorf("%s: the object holds %d bytes, want %d", row.name, len(got), len(want))
		}
	}
	if n := bodies(t, r); n != 1 {
		t.Errorf("%d body files for one object", n)
	}
}

func TestDeclaredHashesAreChecked(t *testing.T) {
	r := local.Start(t)
	creds := r.Admin()
	try := func(declared string, header ...string) string {
		req := need[*http.Request](t)(http.NewRequest("PUT", r.URL()+"/"+bucket+"/k", bytes.NewReader([]byte("hello"))))
		req.Header.Set("X-Amz-Content-Sha256", declared)
		req.Header.Set("Expect", "100-continue")
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		c := aws.Credentials{AccessKeyID: creds.AccessKeyID, SecretAccessKey: creds.SecretAccessKey}
		err := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }).SignHTTP(context.Background(), c, req, declared,
			"s3", "local", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		resp := need[*http.Response](t)(http.DefaultClient.Do(req))
		defer resp.Body.Close()
		body := string(need[[]byte](t)(io.ReadAll(resp.Body)))
		_, rest, _ := strings.Cut(body, "<Code>")
		code, _, _ := strings.Cut(rest, "<")
		return code
	}
	right, wrong := fmt.Sprintf("%x", sha256.Sum256([]byte("hello"))), fmt.Sprintf("%x", sha256.Sum256([]byte("other")))
	for _, row := range []struct{ got, want string }{
		{try(right), ""},
		{try("UNSIGNED-PAYLOAD"), ""},
		{try(wrong), "XAmzContentSHA256Mismatch"},
		{try("what"), "InvalidArgument"},
		{try(right, "Content-Md5", "XUFAKrxLKna5cZ2REBfFkg=="), ""},
		{try(right, "Content-Md5", "AUFAKrxLKna5cZ2REBfFkg=="), "BadDigest"},
		{try(right, "Content-Md5", "x"), "InvalidDigest"},
		{try(right, "X-Amz-Checksum-Crc32", "NhCmhg=="), ""},
		{try(right, "X-Amz-Checksum-Crc32", "AhCmhg=="), "BadDigest"},
	} {
		if row.got != row.want {
			t.Errorf("got %q, want %q", row.got, row.want)
		}
	}
}
