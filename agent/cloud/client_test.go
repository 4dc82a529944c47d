package cloud_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
)

// region answers with what the test says, in turn, the last for ever, and keeps what it was sent.
type region struct {
	*httptest.Server
	answers  []answer
	requests []*http.Request
	bodies   []string
}

type answer struct {
	status int
	body   string
}

func start(t *testing.T, answers ...answer) *region {
	t.Helper()
	r := &region{answers: answers}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.requests, r.bodies = append(r.requests, req), append(r.bodies, string(body))
		a := r.answers[min(len(r.requests), len(r.answers))-1]
		w.Header().Set("X-Amzn-Requestid", "id-1")
		w.WriteHeader(a.status)
		io.WriteString(w, a.body)
	}))
	t.Cleanup(r.Close)
	return r
}

// client never really pauses; the pauses are kept.
func (r *region) client(pauses *[]time.Duration, change ...func(*cloud.Options)) *cloud.Client {
	o := cloud.Options{
		Region: "eu-west-1", Endpoint: r.URL, Service: "ssm", Target: "AmazonSSM", UserAgent: "a/1",
		Credentials: static("AKIDEXAMPLE", "secret", "token"),
		Now:         func() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC) },
		Pause: func(ctx context.Context, d time.Duration) error {
			*pauses = append(*pauses, d)
			return ctx.Err()
		},
	}
	for _, c := range change {
		c(&o)
	}
	return cloud.New(o)
}

func TestACallIsSignedJSON(t *testing.T) {
	r := start(t, answer{200, `{"name":"x"}`})
	var out struct{ Name string }
	err := r.client(new([]time.Duration)).Call(t.Context(), "Get", map[string]string{"A": "<&>"}, &out)
	if err != nil || out.Name != "x" {
		t.Fatal(err, out)
	}
	req := r.requests[0]
	want := map[string]string{
		"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AmazonSSM.Get", "User-Agent": "a/1",
		"X-Amz-Date": "20260304T050607Z", "X-Amz-Security-Token": "token",
	}
	for name, value := range want {
		if got := req.Header.Get(name); got != value {
			t.Errorf("%s: %q, want %q", name, got, value)
		}
	}
	const authorization = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260304/eu-west-1/ssm/aws4_request, " +
		"SignedHeaders=content-length;content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature="
	if got := req.Header.Get("Authorization"); !strings.HasPrefix(got, authorization) {
		t.Error(got)
	}
	if req.Method != "POST" || req.URL.Path != "/" || r.bodies[0] != `{"A":"\u003c\u0026\u003e"}` {
		t.Error(req.Method, req.URL, r.bodies[0])
	}
}

func TestNothingIsSignedWithoutCredentials(t *testing.T) {
	r := start(t, answer{200, ""})
	err := r.client(new([]time.Duration), func(o *cloud.Options) { o.Credentials = nil }).Call(t.Context(), "Get", nil, nil)
	if err != nil || r.bodies[0] != "{}" {
		t.Fatal(err, r.bodies)
	}
	for _, name := range []string{"Authorization", "X-Amz-Date", "X-Amz-Security-Token"} {
		if _, there := r.requests[0].Header[name]; there {
			t.Errorf("%s was sent", name)
		}
	}
}

// docs/protocol/runcommand.md, "Transport of ec2messages".
func TestWhichFailuresAreTriedAgain(t *testing.T) {
	rows := []struct {
		answer
		attempts int
		code     string
	}{
		{answer{500, `{"__type":"InternalServerError","message":"m"}`}, 4, "InternalServerError"},
		{answer{503, "<html>busy</html>"}, 4, cloud.UnknownError},
		{answer{501, `{"__type":"NotImplemented"}`}, 1, "NotImplemented"},
		{answer{429, `{"__type":"X"}`}, 4, "X"},
		{answer{400, `{"__type":"ThrottlingException"}`}, 4, "ThrottlingException"},
		{answer{400, `{"__type":"ns#TooManyRequestsException"}`}, 4, "TooManyRequestsException"},
		{answer{400, `{"__type":"RequestTimeoutException"}`}, 4, "RequestTimeoutException"},
		{answer{400, `{"__type":"ExpiredTokenException"}`}, 4, "ExpiredTokenException"},
		{answer{400, `{"__type":"InvalidInstanceId","Message":"m"}`}, 1, "InvalidInstanceId"},
		{answer{403, `{"__type":"AccessDeniedException"}`}, 1, "AccessDeniedException"},
		{answer{404, ""}, 1, cloud.UnknownError},
	}
	for _, row := range rows {
		r := start(t, row.answer)
		var pauses []time.Duration
		err := r.client(&pauses).Call(t.Context(), "Get", nil, nil)
		var e *cloud.Error
		if !errors.As(err, &e) || e.Code != row.code || e.Status != row.status || e.RequestID != "id-1" {
			t.Errorf("%v: %+v", row.answer, err)
		}
		if len(r.requests) != row.attempts {
			t.Errorf("%v: %d attempts, want %d", row.answer, len(r.requests), row.attempts)
		}
		for n, p := range pauses {
			if low := time.Second << n; p < low || p >= low*3/2 {
				t.Errorf("pause %d is %v", n, p)
			}
		}
	}
}

func TestASecondAttemptSucceeds(t *testing.T) {
	r := start(t, answer{500, ""}, answer{200, "{}"})
	if err := r.client(new([]time.Duration)).Call(t.Context(), "Get", nil, nil); err != nil || len(r.requests) != 2 {
		t.Error(err, len(r.requests))
	}
	r = start(t, answer{500, ""}, answer{200, "{}"})
	err := r.client(new([]time.Duration), func(o *cloud.Options) { o.Retries = -1 }).Call(t.Context(), "Get", nil, nil)
	if err == nil || len(r.requests) != 1 {
		t.Error("retries were not switched off")
	}
}

func TestNoAnswerIsARequestError(t *testing.T) {
	r := start(t, answer{200, ""})
	r.Close()
	var pauses []time.Duration
	err := r.client(&pauses).Call(t.Context(), "Get", nil, nil)
	if cloud.Code(err) != cloud.RequestError || len(pauses) != 3 {
		t.Error(err, pauses)
	}
}

func TestALongPollEndedByTheClientIsTriedAgainAtOnce(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		io.Copy(io.Discard, req.Body)
		<-req.Context().Done()
	}))
	defer s.Close()
	var pauses []time.Duration
	r := &region{Server: s}
	err := r.client(&pauses, func(o *cloud.Options) { o.Timeout = 20 * time.Millisecond }).Call(t.Context(), "GetMessages", nil, nil)
	if !cloud.Timeout(err) || !slices.Equal(pauses, slices.Repeat([]time.Duration{100 * time.Millisecond}, 3)) {
		t.Error(err, pauses)
	}
}

func TestAnEndedContextEndsTheCall(t *testing.T) {
	r := start(t, answer{500, ""})
	ctx, cancel := context.WithCancel(t.Context())
	c := r.client(new([]time.Duration), func(o *cloud.Options) {
		o.Pause = func(ctx context.Context, _ time.Duration) error { cancel(); return ctx.Err() }
	})
	if err := c.Call(ctx, "Get", nil, nil); err == nil || len(r.requests) != 1 {
		t.Error(err, len(r.requests))
	}
	if err := c.Call(ctx, "Get", nil, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestAnAnswerThatIsNoJSON(t *testing.T) {
	page := answer{200, "<html>please log in</html>"}
	r := start(t, page, page, answer{200, ""}, answer{200, "{}"})
	c := r.client(new([]time.Duration))
	for _, out := range []any{new(struct{}), nil} { // a page of a proxy in between is no answer, whether it is read or not
		if err := c.Call(t.Context(), "Get", nil, out); cloud.Code(err) != cloud.SerializationError {
			t.Error(err)
		}
		defer func() {
			if err := c.Call(t.Context(), "Get", nil, out); err != nil {
				t.Error(err)
			}
		}()
	}
}

func TestAnErrorReadsAsTheOriginals(t *testing.T) {
	r := start(t, answer{400, `{"__type":"InvalidActivation"}`})
	if err := r.client(new([]time.Duration)).Call(t.Context(), "Get", nil, nil); err.Error() != "InvalidActivation: " {
		t.Errorf("%q", err)
	}
}

func TestWhichRedirectsAreFollowed(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		http.Redirect(w, req, req.URL.Path, http.StatusTemporaryRedirect)
	}))
	defer s.Close()
	client, err := cloud.HTTP()
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Get(s.URL)
	if !errors.Is(err, cloud.ErrRedirect) || !strings.Contains(err.Error(), "stopped after 10 redirects") {
		t.Error(err)
	}
	secure, _ := http.NewRequest("GET", "https://a/", nil)
	insecure, _ := http.NewRequest("GET", plain.URL, nil)
	if err := client.CheckRedirect(insecure, []*http.Request{secure}); !errors.Is(err, cloud.ErrRedirect) {
		t.Error("a redirect to plain HTTP was followed")
	}
}

func TestACABundleReplacesTheSystemsRoots(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	bundle := t.TempDir() + "/ca.pem"
	t.Setenv("AWS_CA_BUNDLE", bundle)
	if _, err := cloud.HTTP(); err == nil {
		t.Error("a missing bundle was taken")
	}
	writePEM(t, bundle, s.Certificate().Raw)
	client, err := cloud.HTTP()
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	t.Setenv("AWS_CA_BUNDLE", "")
	if client, _ = cloud.HTTP(); client != nil {
		if _, err := client.Get(s.URL); err == nil {
			t.Error("a foreign certificate was taken")
		}
	}
}

func TestTheAddressOfAService(t *testing.T) {
	t.Setenv("AWS_USE_FIPS_ENDPOINT", "true")
	t.Setenv("AWS_ENDPOINT_URL", "http://elsewhere")
	rows := []struct{ region, domain, override, want string }{
		{"eu-west-1", "", "", "https://ssm.eu-west-1.amazonaws.com"},
		{"cn-north-1", "", "", "https://ssm.cn-north-1.amazonaws.com.cn"},
		{"us-gov-west-1", "", "", "https://ssm.us-gov-west-1.amazonaws.com"},
		{"us-isob-east-1", "", "", "https://ssm.us-isob-east-1.sc2s.sgov.gov"},
		{"eusc-de-east-1", "", "", "https://ssm.eusc-de-east-1.amazonaws.eu"},
		{"eu-west-1", "example.org", "", "https://ssm.eu-west-1.example.org"},
		{"eu-west-1", "example.org", "ssm-fips.eu-west-1.amazonaws.com", "https://ssm-fips.eu-west-1.amazonaws.com"},
		{"local", "", "http://127.0.0.1:7700", "http://127.0.0.1:7700"},
		{"local", "", "http://127.0.0.1:7700/", "http://127.0.0.1:7700"},
	}
	for _, r := range rows {
		if got, err := cloud.Endpoint("ssm", r.region, r.domain, r.override); err != nil || got != r.want {
			t.Errorf("%+v: %s, %v", r, got, err)
		}
	}
	if _, err := cloud.Endpoint("ssm", "no region", "", ""); err == nil {
		t.Error("a malformed region was taken")
	}
}

func TestTheUserAgent(t *testing.T) {
	t.Setenv("AWS_EXECUTION_ENV", "")
	if got := cloud.UserAgent("amazon-ssm-agent", "9.1.0.0"); !strings.HasSuffix(got, ") amazon-ssm-agent/9.1.0.0") {
		t.Error(got)
	}
	t.Setenv("AWS_EXECUTION_ENV", "x")
	if got := cloud.UserAgent("n", "1"); !strings.HasSuffix(got, " n/1 exec-env/x") {
		t.Error(got)
	}
}

func ExampleClient_Call() {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"Content":"x"}`) }))
	defer s.Close()
	client := cloud.New(cloud.Options{Region: "local", Endpoint: s.URL, Service: "ssm", Target: "AmazonSSM"})
	var out struct{ Content string }
	err := client.Call(context.Background(), "GetDocument", map[string]string{"Name": "d"}, &out)
	fmt.Println(out.Content, err)
	// Output: x <nil>
}

// static is a provider of one set of credentials.
func static(accessKeyID, secretAccessKey, sessionToken string) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: accessKeyID, SecretAccessKey: secretAccessKey, SessionToken: sessionToken,
			Source: "static"}, nil
	})
}
