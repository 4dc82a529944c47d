package local_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

func TestAPresignedUploadCopiesNothing(t *testing.T) {
	r := local.Start(t)
	ctx, boss := context.Background(), admin(t, r)
	makeBucket(t, boss, "private")
	makeBucket(t, boss, "inbox")
	put(t, boss, "private", "k", "secret")
	signed := need[*v4.PresignedHTTPRequest](t)(s3.NewPresignClient(boss).PresignPutObject(ctx,
		&s3.PutObjectInput{Bucket: aws.String("inbox"), Key: aws.String("mail")}))
	req := need[*http.Request](t)(http.NewRequest(http.MethodPut, signed.URL, http.NoBody))
	req.Header.Set("X-Amz-Copy-Source", "private/k")
	resp := need[*http.Response](t)(http.DefaultClient.Do(req))
	defer resp.Body.Close()
	if text := string(need[[]byte](t)(io.ReadAll(resp.Body))); resp.StatusCode != 403 ||
		!strings.Contains(text, "not signed: x-amz-copy-source") {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	if _, err := r.GetFrom("inbox", "mail"); err == nil {
		t.Error("the private object was copied")
	}
}

func TestTheTargetOfACallMustBeSigned(t *testing.T) {
	r := local.Start(t)
	q := request{target: "AmazonSSM.DescribeActivations", creds: r.Admin(), service: "ssm", region: "local", at: time.Now()}
	signedWithout := q
	signedWithout.target = ""
	signedWithout.change = func(req *http.Request) { req.Header.Set("X-Amz-Target", "AmazonSSM.DescribeActivations") }
	if status, _, text := q.send(t, r); status != 200 {
		t.Errorf("signed: %d %s", status, text)
	}
	if status, code, text := signedWithout.send(t, r); status != 400 || code != "InvalidSignatureException" {
		t.Errorf("not signed: %d %s", status, text)
	}
}

func TestARequestWithoutAKnownKeyHoldsLittle(t *testing.T) {
	r := local.Start(t)
	send := func(size int, authorization string) int {
		req := need[*http.Request](t)(http.NewRequest(http.MethodPost, r.URL()+"/", strings.NewReader(strings.Repeat(" ", size))))
		req.Header.Set("X-Amz-Target", "AmazonSSM.RegisterManagedInstance")
		req.Header.Set("Authorization", authorization)
		req.Header.Set("X-Amz-Date", time.Now().UTC().Format("20060102T150405Z"))
		resp := need[*http.Response](t)(http.DefaultClient.Do(req))
		resp.Body.Close()
		return resp.StatusCode
	}
	signed := func(key string) string {
		return "AWS4-HMAC-SHA256 Credential=" + key + "/" + time.Now().UTC().Format("20060102") +
			"/local/ssm/aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, Signature=" + strings.Repeat("0", 64)
	}
	for name, status := range map[string]int{"unsigned": send(100<<10, ""), "unknown key": send(100<<10, signed("AKIAUNKNOWN"))} {
		if status != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: status %d", name, status)
		}
	}
	if status := send(100<<10, signed(r.Admin().AccessKeyID)); status == http.StatusRequestEntityTooLarge {
		t.Error("a body with a known key is too large")
	}
}

func TestABodyThatStallsIsCutOff(t *testing.T) {
	r := local.Start(t, func(o *local.Options) { o.BodyPause = 100 * time.Millisecond })
	for _, head := range []string{"POST / HTTP/1.1\r\nX-Amz-Target: AmazonSSM.RegisterManagedInstance\r\n",
		"PUT /" + bucket + "/k HTTP/1.1\r\n"} {
		c := need[net.Conn](t)(net.Dial("tcp", strings.TrimPrefix(r.URL(), "http://")))
		defer c.Close()
		need[int](t)(c.Write([]byte(head + "Host: x\r\nContent-Length: 1000\r\n\r\nhalf")))
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.ReadAll(c); err != nil {
			t.Errorf("%.20q: still open: %v", head, err)
		}
	}
	n := newNode(t, r) // a long poll outlives the pause between the parts of a body
	r.HoldPolls(500 * time.Millisecond)
	if got := n.poll(); len(got) != 0 {
		t.Errorf("poll: %v", got)
	}
}

func TestConnectionsAboveTheCapAreClosed(t *testing.T) {
	r := local.Start(t, func(o *local.Options) { o.Connections = 3 })
	address := strings.TrimPrefix(r.URL(), "http://")
	var held []net.Conn
	for range 3 {
		held = append(held, need[net.Conn](t)(net.Dial("tcp", address)))
	}
	more := need[net.Conn](t)(net.Dial("tcp", address))
	_ = more.SetReadDeadline(time.Now().Add(10 * time.Second))
	var late net.Error
	if _, err := more.Read(make([]byte, 1)); err == nil || errors.As(err, &late) && late.Timeout() {
		t.Errorf("one more is served: %v", err)
	}
	for _, c := range held {
		c.Close()
	}
	for range 100 {
		if resp, err := http.Get(r.URL() + "/" + bucket + "/k"); err == nil {
			resp.Body.Close()
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("no connection is served after the others have gone")
}

func TestANodeOverwritesOnlyWhatItWrote(t *testing.T) {
	r := local.Start(t)
	ctx, boss := context.Background(), admin(t, r)
	makeBucket(t, boss, "output")
	as := func(id string) *s3.Client {
		c, _ := r.Issue(id, time.Hour)
		return client(t, r.URL(), &c)
	}
	a, b := as("mi-0000000000000000a"), as("mi-0000000000000000b")
	put(t, a, "output", "log", "of a")
	put(t, a, "output", "log", "of a again")
	put(t, boss, "output", "mine", "of the administrator")
	up := need[*s3.CreateMultipartUploadOutput](t)(a.CreateMultipartUpload(ctx,
		&s3.CreateMultipartUploadInput{Bucket: aws.String("output"), Key: aws.String("log")}))
	_, copied := b.CopyObject(ctx, &s3.CopyObjectInput{Bucket: aws.String("output"), Key: aws.String("log"),
		CopySource: aws.String("output/mine")})
	_, part := b.UploadPart(ctx, &s3.UploadPartInput{Bucket: aws.String("output"), Key: aws.String("log"), UploadId: up.UploadId,
		PartNumber: aws.Int32(1), Body: strings.NewReader("x")})
	_, aborted := b.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: aws.String("output"), Key: aws.String("log"),
		UploadId: up.UploadId})
	own := need[*s3.CreateMultipartUploadOutput](t)(b.CreateMultipartUpload(ctx,
		&s3.CreateMultipartUploadInput{Bucket: aws.String("output"), Key: aws.String("log")}))
	p := need[*s3.UploadPartOutput](t)(b.UploadPart(ctx, &s3.UploadPartInput{Bucket: aws.String("output"), Key: aws.String("log"),
		UploadId: own.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("x")}))
	_, completed := b.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: aws.String("output"), Key: aws.String("log"),
		UploadId: own.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: aws.Int32(1),
			ETag: p.ETag}}}})
	for name, err := range map[string]error{"put over another node's": putErr(ctx, b, "output", "log"),
		"put over the administrator's": putErr(ctx, b, "output", "mine"),
		"copy":                         copied, "complete": completed, "part of another's upload": part, "abort another's upload": aborted} {
		if got := code(err); got != "AccessDenied" {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := read(t, boss, "output", "log"); got != "of a again" {
		t.Errorf("the object of a: %q", got)
	}
	put(t, boss, "output", "log", "of the administrator")
}

// forge makes a certificate for a name with the region's CA, as a thief of its key would.
func forge(t *testing.T, r *local.Region, name string) *x509.Certificate {
	t.Helper()
	ca := need[tls.Certificate](t)(tls.LoadX509KeyPair(r.CAFile(), filepath.Join(r.Data(), "ca-key.pem")))
	key := need[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	der := need[[]byte](t)(x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}, ca.Leaf, key.Public(), ca.PrivateKey))
	return need[*x509.Certificate](t)(x509.ParseCertificate(der))
}

func TestTheCAIsGoodForTheRegionsNamesOnly(t *testing.T) {
	r := local.Start(t)
	roots := trust(t, r).RootCAs
	for name, good := range map[string]bool{"localhost": true, "bucket.localhost": true, "example.com": false, "s3.amazonaws.com": false} {
		_, err := forge(t, r, name).Verify(x509.VerifyOptions{Roots: roots, DNSName: name})
		var invalid x509.CertificateInvalidError
		if good && err != nil || !good && (!errors.As(err, &invalid) || invalid.Reason != x509.CANotAuthorizedForThisName) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestACAOfAnEarlierReleaseIsLimitedAndItsCopiesStayGood(t *testing.T) {
	data := t.TempDir()
	key := need[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	unlimited := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	unlimited.Subject.CommonName, unlimited.Subject.Organization = "ssm-setup local CA local", []string{"ssm-setup"}
	old := need[[]byte](t)(x509.CreateCertificate(rand.Reader, unlimited, unlimited, key.Public(), key))
	must(t, os.WriteFile(filepath.Join(data, "ca.pem"), pemOf("CERTIFICATE", old), 0o600))
	must(t, os.WriteFile(filepath.Join(data, "ca-key.pem"), pemOf("PRIVATE KEY", need[[]byte](t)(x509.MarshalPKCS8PrivateKey(key))), 0o600))

	r := need[*local.Region](t)(local.Open(local.Options{Data: data, NoSync: true}))
	defer r.Close()
	if _, err := forge(t, r, "example.com").Verify(x509.VerifyOptions{Roots: trust(t, r).RootCAs}); err == nil {
		t.Error("the CA is still good for any name")
	}
	copies := x509.NewCertPool()
	copies.AddCert(need[*x509.Certificate](t)(x509.ParseCertificate(old)))
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: copies}}}
	resp := need[*http.Response](t)(c.Get(r.TLSURL() + "/" + bucket + "/none"))
	resp.Body.Close()
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
