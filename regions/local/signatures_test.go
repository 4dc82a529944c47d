package local_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

// request is a JSON 1.1 call made by hand.
type request struct {
	target  string
	creds   local.Credentials
	service string
	region  string
	at      time.Time
	change  func(*http.Request) // after signing
}

func (q request) send(t *testing.T, r *local.Region) (status int, code, text string) {
	t.Helper()
	body := `{}`
	req := need[*http.Request](t)(http.NewRequest("POST", r.URL()+"/", strings.NewReader(body)))
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", q.target)
	if q.creds.AccessKeyID != "" {
		sum := sha256.Sum256([]byte(body))
		c := aws.Credentials{AccessKeyID: q.creds.AccessKeyID, SecretAccessKey: q.creds.SecretAccessKey, SessionToken: q.creds.SessionToken}
		if err := v4.NewSigner().SignHTTP(context.Background(), c, req, hex.EncodeToString(sum[:]), q.service, q.region, q.at); err != nil {
			t.Fatal(err)
		}
	}
	if q.change != nil {
		q.change(req)
	}
	resp := need[*http.Response](t)(http.DefaultClient.Do(req))
	defer resp.Body.Close()
	raw := need[[]byte](t)(io.ReadAll(resp.Body))
	var e struct {
		Type string `json:"__type"`
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		t.Errorf("%s: %v", raw, err)
	}
	return resp.StatusCode, e.Type, string(raw)
}

func TestJSONServicesCheckSignatures(t *testing.T) {
	r := local.Start(t)
	good := request{target: "AmazonSSM.DescribeInstanceInformation", creds: r.Admin(), service: "ssm", region: "local", at: time.Now()}
	node, expiry := r.Issue("mi-00000000000000000", time.Hour)
	if left := time.Until(expiry); left < 59*time.Minute || left > time.Hour {
		t.Errorf("role credentials live %s", left)
	}
	for _, row := range []struct {
		name   string
		change func(*request)
		want   string
	}{
		{"as it should be", func(*request) {}, ""},
		{"not signed", func(q *request) { q.creds = local.Credentials{} }, "MissingAuthenticationTokenException"},
		{"wrong secret", func(q *request) { q.creds.SecretAccessKey = "x" }, "InvalidSignatureException"},
		{"unknown key", func(q *request) { q.creds.AccessKeyID = "AKIA0" }, "UnrecognizedClientException"},
		{"token with a long-lived key", func(q *request) { q.creds.SessionToken = "t" }, "UnrecognizedClientException"},
		{"another region", func(q *request) { q.region = "eu-west-1" }, "InvalidSignatureException"},
		{"another service", func(q *request) { q.service = "s3" }, "InvalidSignatureException"},
		{"14 minutes ago", func(q *request) { q.at = q.at.Add(-14 * time.Minute) }, ""},
		{"16 minutes ago", func(q *request) { q.at = q.at.Add(-16 * time.Minute) }, "InvalidSignatureException"},
		{"16 minutes ahead", func(q *request) { q.at = q.at.Add(16 * time.Minute) }, "InvalidSignatureException"},
		{"body changed", func(q *request) {
			q.change = func(req *http.Request) { req.Body = io.NopCloser(strings.NewReader(`{ }`)); req.ContentLength = 3 }
		}, "InvalidSignatureException"},
		{"target changed", func(q *request) {
			q.change = func(req *http.Request) { req.Header.Set("X-Amz-Target", "AmazonSSM.ListCommands") }
		}, "InvalidSignatureException"},
		{"no signature in it", func(q *request) {
			q.change = func(req *http.Request) { req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=x") }
		}, "IncompleteSignatureException"},
		{"a node may not", func(q *request) { q.creds = node }, "AccessDeniedException"},
		{"unknown node's key", func(q *request) { q.creds.AccessKeyID = "mi-11111111111111111" }, "InvalidInstanceId"},
	} {
		q := good
		row.change(&q)
		status, code, text := q.send(t, r)
		if code != row.want || (row.want == "") != (status == 200) {
			t.Errorf("%s: %d %s", row.name, status, text)
		}
	}
}

func TestRoleCredentialsExpire(t *testing.T) {
	r := local.Start(t)
	node, _ := r.Issue("mi-00000000000000000", time.Hour)
	q := request{target: "AmazonSSM.DescribeInstanceInformation", creds: node, service: "ssm", region: "local", at: time.Now()}
	r.Advance(59 * time.Minute)
	if _, code, _ := q.send(t, r); code != "AccessDeniedException" {
		t.Errorf("in time: %s", code)
	}
	r.Advance(2 * time.Minute)
	if _, code, _ := q.send(t, r); code != "ExpiredTokenException" {
		t.Errorf("too late: %s", code)
	}
	r.TokenLife(2 * time.Second)
	if _, expiry := r.Issue("mi-00000000000000000", time.Hour); expiry.Sub(time.Now().Add(61*time.Minute)) > 3*time.Second {
		t.Errorf("the knob does not shorten lives: %s", expiry)
	}
}

func TestBrokenJSONServicesAnswerInTheirShape(t *testing.T) {
	r := local.Start(t)
	q := request{target: "AmazonSSM.DescribeInstanceInformation"}
	r.Break("DescribeInstanceInformation", 1, 503, "")
	if status, code, _ := q.send(t, r); status != 503 || code != "ServiceUnavailable" {
		t.Errorf("%d %s", status, code)
	}
}

func TestAnAdministratorIsToldWhoItIs(t *testing.T) {
	r := local.Start(t)
	ask := func(secret string) (status int, text string) {
		body, creds := "Action=GetCallerIdentity&Version=2011-06-15", r.Admin()
		req := need[*http.Request](t)(http.NewRequest("POST", r.URL()+"/", strings.NewReader(body)))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
		sum := sha256.Sum256([]byte(body))
		c := aws.Credentials{AccessKeyID: creds.AccessKeyID, SecretAccessKey: secret}
		if err := v4.NewSigner().SignHTTP(context.Background(), c, req, hex.EncodeToString(sum[:]), "sts", "local", time.Now()); err != nil {
			t.Fatal(err)
		}
		resp := need[*http.Response](t)(http.DefaultClient.Do(req))
		defer resp.Body.Close()
		return resp.StatusCode, string(need[[]byte](t)(io.ReadAll(resp.Body)))
	}
	var out struct{ GetCallerIdentityResult struct{ Arn, Account string } }
	if status, text := ask(r.Admin().SecretAccessKey); status != 200 || xml.Unmarshal([]byte(text), &out) != nil ||
		out.GetCallerIdentityResult.Account != local.Account {
		t.Errorf("%d %s", status, text)
	}
	var bad struct{ Error struct{ Code string } }
	if status, text := ask("x"); status != 403 || xml.Unmarshal([]byte(text), &bad) != nil || bad.Error.Code != "SignatureDoesNotMatch" {
		t.Errorf("%d %s", status, text)
	}
}

func TestNodesKeepOutputAndReadReleases(t *testing.T) {
	r := local.Start(t)
	ctx, node := context.Background(), func() local.Credentials { c, _ := r.Issue("mi-00000000000000000", time.Hour); return c }()
	boss, c := admin(t, r), client(t, r.URL(), &node)
	makeBucket(t, boss, "output")
	put(t, boss, bucket, "release", "bytes")
	put(t, c, "output", "cmd/stdout", "hello")
	if got := read(t, boss, "output", "cmd/stdout"); got != "hello" {
		t.Errorf("output %q", got)
	}
	if got := read(t, c, bucket, "release"); got != "bytes" {
		t.Errorf("release %q", got)
	}
	for name, err := range map[string]error{
		"write a release": putErr(ctx, c, bucket, "release"),
		"make a bucket":   bucketErr(ctx, c, "mine"),
		"delete output":   deleteErr(ctx, c, "output", "cmd/stdout"),
	} {
		if code(err) != "AccessDenied" {
			t.Errorf("a node may %s: %v", name, err)
		}
	}
	r.Advance(2 * time.Hour)
	if err := putErr(ctx, c, "output", "x"); code(err) != "ExpiredToken" {
		t.Errorf("expired: %v", err)
	}
}
