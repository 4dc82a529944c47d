package output_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/agent/output"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/regions/local"
)

// scene is one step whose output goes to places of a local region.
type scene struct {
	*testing.T
	region *local.Region
	at     string // address of the region, or of what stands before it
	output.Settings
	output.Location
	capture *output.Capture
	keepers *output.Keepers
}

const whole = "pre/fix/cmd/i-1/awsrunShellScript/one/"

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{T: t, region: local.Start(t)}
	s.at = s.region.URL()
	s.must(s.region.MakeBucket("outputs"))
	s.Settings = output.Settings{Bucket: "outputs", Prefix: "pre/fix/cmd/i-1", LogGroup: "/aws/ssm/Doc", Stream: "cmd/i-1"}
	s.Location = s.Settings.Location(t.TempDir(), host.CleanName("aws:runShellScript"), host.CleanName("one"), "one")
	return s
}

func (s *scene) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *scene) credentials() aws.CredentialsProvider {
	a := s.region.Admin()
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: a.AccessKeyID, SecretAccessKey: a.SecretAccessKey, SessionToken: a.SessionToken}, nil
	})
}

func noPause(ctx context.Context, _ time.Duration) error { return ctx.Err() }

func (s *scene) client(at string, service cloud.Service) *cloud.Client {
	return cloud.New(cloud.Options{Region: s.region.Name(), Endpoint: at, Service: service.Name, Target: service.Target,
		Credentials: s.credentials(), Pause: noPause})
}

func (s *scene) table() []output.Sink {
	return output.Table(output.Region{
		S3: func() (*cloud.S3, error) {
			return cloud.NewS3(cloud.S3Options{Region: s.region.Name(), Endpoint: s.at, Credentials: s.credentials(), Pause: noPause}), nil
		},
		Client: func(service cloud.Service) (*cloud.Client, error) { return s.client(s.at, service), nil },
	})
}

// begin opens the files and begins to keep.
func (s *scene) begin() {
	s.Helper()
	var err error
	s.capture, err = output.Open(s.Dir)
	s.must(err)
	s.keepers = output.Begin(s.Context(), s.table(), s.Settings, s.Location)
}

func (s *scene) say(stdout, stderr string) {
	fmt.Fprint(s.capture.Stdout(), stdout)
	fmt.Fprint(s.capture.Stderr(), stderr)
}

func (s *scene) end() (output.Upload, string) {
	s.Helper()
	up, note, err := s.keepers.End(s.Context(), s.Location)
	s.must(err)
	s.must(s.capture.Close())
	return up, note
}

// run is a whole step.
func (s *scene) run(stdout, stderr string) (output.Upload, string) {
	s.Helper()
	s.begin()
	s.say(stdout, stderr)
	return s.end()
}

// object is what the bucket has under a key; "" where it has none.
func (s *scene) object(key string) string {
	data, err := s.region.GetFrom("outputs", key)
	if err != nil {
		return ""
	}
	return string(data)
}

// logged are the messages of a stream.
func (s *scene) logged(stream string) (messages []string) {
	s.Helper()
	var out struct {
		Events []struct{ Message string }
		Next   string `json:"nextForwardToken"`
	}
	for token := ""; ; token = out.Next {
		in := map[string]any{"logGroupName": s.LogGroup, "logStreamName": stream, "startFromHead": true}
		if token != "" {
			in["nextToken"] = token
		}
		if err := s.client(s.region.URL(), cloud.Logs()).Call(s.Context(), "GetLogEvents", in, &out); err != nil {
			return nil
		}
		if len(out.Events) == 0 {
			return messages
		}
		for _, e := range out.Events {
			messages = append(messages, e.Message)
		}
	}
}

func TestOutputIsKeptWholeInTheBucketAndTheLogGroup(t *testing.T) {
	s := newScene(t)
	long := strings.Repeat("a line of öutput\r\n", 40000) // 760 kB: far more than a reply has
	up, note := s.run(long, "oh\n\nno")
	if note != "" {
		t.Errorf("note %q", note)
	}
	if want := (output.Upload{Bucket: "outputs", Prefix: "pre/fix/cmd/i-1/awsrunShellScript", Step: "one"}); up != want {
		t.Errorf("%+v", up)
	}
	if s.object(whole+"stdout") != long || s.object(whole+"stderr") != "oh\n\nno" {
		t.Error("the objects are not the streams")
	}
	if got := s.logged("cmd/i-1/one/stdout"); strings.Join(got, "") != strings.ReplaceAll(long, "\r\n", "\n") || len(got) < 4 {
		t.Errorf("%d events", len(got))
	}
	if got := s.logged("cmd/i-1/one/stderr"); strings.Join(got, "") != "oh\n\nno" {
		t.Errorf("%q", got)
	}
	for _, c := range s.region.Calls("PutObject") {
		if c.Header.Get("X-Amz-Acl") != "bucket-owner-full-control" || c.Header.Get("Content-Type") != "text/plain" {
			t.Errorf("header %v", c.Header)
		}
	}
}

func TestAnEmptyStreamIsPutNowhereAndNothingIsNamed(t *testing.T) {
	s := newScene(t)
	if up, note := s.run("", ""); up != (output.Upload{}) || note != "" {
		t.Errorf("%+v %q", up, note)
	}
	if s.region.Count("PutObject")+s.region.Count("CreateLogStream") != 0 {
		t.Error("something was put")
	}
	s = newScene(t)
	if up, _ := s.run("", "only this"); up.Bucket != "outputs" || s.object(whole+"stdout") != "" || s.object(whole+"stderr") != "only this" {
		t.Errorf("%+v", up)
	}
}

func TestALargeOutputGoesInPartsAndABrokenPartIsSentAgain(t *testing.T) {
	s := newScene(t)
	s.LogGroup = ""
	s.region.Break("UploadPart", 2, 503, "SlowDown")
	long := strings.Repeat("0123456789abcdef", 18<<16) // 18 MiB
	if up, note := s.run(long, ""); up.Bucket == "" || note != "" {
		t.Fatalf("%+v %q", up, note)
	}
	if s.object(whole+"stdout") != long || s.region.Count("UploadPart") != 5 {
		t.Errorf("%d parts", s.region.Count("UploadPart"))
	}
	again := newScene(t)
	again.LogGroup = ""
	again.region.Break("UploadPart", -1, 403, "AccessDenied")
	up, note := again.run(long, "")
	if up != (output.Upload{}) || !strings.Contains(note, "The S3 bucket outputs does not have the stdout: AccessDenied: broken on purpose.") {
		t.Errorf("%+v %q", up, note)
	}
	if again.region.Count("AbortMultipartUpload") != 1 {
		t.Error("the parts are left")
	}
}

func TestABucketThatCannotBeWrittenIsSaidAndNotNamed(t *testing.T) {
	for _, c := range []struct {
		name, text string
		before     func(*scene)
	}{
		{"refused", "does not have the stdout: AccessDenied: broken on purpose",
			func(s *scene) { s.region.Break("PutObject", -1, 403, "AccessDenied") }},
		{"no such bucket", "bucket nowhere does not have the stdout: NoSuchBucket", func(s *scene) { s.Bucket = "nowhere" }},
		{"no bucket's name", "no bucket may be called so", func(s *scene) { s.Bucket = "../x" }},
		{"down", "does not have the output: RequestError", func(s *scene) { s.at = "http://127.0.0.1:1" }},
		{"cut in the body", "does not have the output: RequestError", func(s *scene) { s.at = cutting(s.T, s.region.URL(), -1) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			s.LogGroup = ""
			c.before(s)
			up, note := s.run(strings.Repeat("x", 1<<20), "")
			if up != (output.Upload{}) || !strings.Contains(note, c.text) {
				t.Errorf("%+v %q", up, note)
			}
		})
	}
}

func TestAConnectionThatIsCutInTheBodyIsTriedAgain(t *testing.T) {
	s := newScene(t)
	s.LogGroup = ""
	s.at = cutting(t, s.region.URL(), 2)
	long := strings.Repeat("x", 1<<20)
	if up, note := s.run(long, ""); up.Bucket == "" || note != "" || s.object(whole+"stdout") != long {
		t.Errorf("%+v %q", up, note)
	}
}

// cutting stands before a region and cuts the next times uploads in their middle; below zero: all.
func cutting(t *testing.T, to string, times int) string {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = target.Scheme, target.Host }}
	var left atomic.Int64
	left.Store(int64(times))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method != http.MethodPut || left.Add(-1) < 0 && times >= 0 {
			proxy.ServeHTTP(w, req)
			return
		}
		_, _ = req.Body.Read(make([]byte, 4096))
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestABucketsOwnEncryptionIsAskedFor(t *testing.T) {
	var mu sync.Mutex
	var put http.Header
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if req.URL.RawQuery == "encryption=" {
			fmt.Fprint(w, `<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm>`+
				`<KMSMasterKeyID>arn:aws:kms:x:1:key/k</KMSMasterKeyID></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>`)
		}
		if req.Method == http.MethodPut {
			put = req.Header.Clone()
		}
	}))
	defer server.Close()
	s := newScene(t)
	s.LogGroup, s.at = "", server.URL
	if _, note := s.run("x", ""); note != "" {
		t.Error(note)
	}
	if put.Get("X-Amz-Server-Side-Encryption") != "aws:kms" ||
		put.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id") != "arn:aws:kms:x:1:key/k" {
		t.Errorf("%v", put)
	}
}

func TestLinesAreInTheLogGroupWhileTheStepRuns(t *testing.T) {
	s := newScene(t)
	s.Bucket = ""
	s.begin()
	s.say("first\nsecond\nhal", "")
	s.until(func() bool { return strings.Join(s.logged("cmd/i-1/one/stdout"), "") == "first\nsecond\n" })
	s.say("f\n", "bad\n")
	s.until(func() bool {
		return strings.Join(s.logged("cmd/i-1/one/stdout"), "") == "first\nsecond\nhalf\n" && len(s.logged("cmd/i-1/one/stderr")) == 1
	})
	s.say("no end", "")
	if _, note := s.end(); note != "" || strings.Join(s.logged("cmd/i-1/one/stdout"), "") != "first\nsecond\nhalf\nno end" {
		t.Errorf("%q %q", note, s.logged("cmd/i-1/one/stdout"))
	}
	// The step runs again, after a reboot: what was sent then is not sent twice.
	if _, note := s.run("again", ""); note != "" || strings.Join(s.logged("cmd/i-1/one/stdout"), "") != "first\nsecond\nhalf\nno endagain" {
		t.Errorf("%q %q", note, s.logged("cmd/i-1/one/stdout"))
	}
}

func (s *scene) until(is func() bool) {
	s.Helper()
	for end := time.Now().Add(2 * time.Minute); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			s.Fatal("it did not come")
		}
	}
}

func TestBytesThatAreNoTextAndLinesWithoutEndFitIntoEvents(t *testing.T) {
	s := newScene(t)
	s.Bucket = ""
	long := strings.Repeat("ö", 300000) // no line, and no event may split a character
	if _, note := s.run(long, strings.Repeat("\xff", 500000)); note != "" {
		t.Fatal(note)
	}
	if got := s.logged("cmd/i-1/one/stdout"); strings.Join(got, "") != long {
		t.Errorf("%d events, %d bytes", len(got), len(strings.Join(got, "")))
	}
	if got := s.logged("cmd/i-1/one/stderr"); strings.Join(got, "") != strings.Repeat("\uFFFD", 500000) {
		t.Errorf("%d events", len(got))
	}
}

func TestAThrottledLogGroupGetsEverythingLater(t *testing.T) {
	s := newScene(t)
	s.Bucket = ""
	s.region.Break("PutLogEvents", 6, 400, "ThrottlingException")
	s.region.Break("CreateLogStream", 5, 503, "ServiceUnavailableException")
	if _, note := s.run("one\n", "two\n"); note != "" || len(s.logged("cmd/i-1/one/stdout"))+len(s.logged("cmd/i-1/one/stderr")) != 2 {
		t.Errorf("%q", note)
	}
}

func TestALogGroupThatCannotBeWrittenIsSaid(t *testing.T) {
	for _, c := range []struct {
		name, text string
		before     func(*scene)
	}{
		{"no group may be made and none is there", "does not have 4 of 4 bytes of stdout: ResourceNotFoundException", func(s *scene) {
			s.region.Break("CreateLogGroup", -1, 400, "AccessDeniedException")
		}},
		{"no stream may be made", "does not have 4 of 4 bytes of stdout: AccessDeniedException", func(s *scene) {
			s.region.Break("CreateLogStream", -1, 400, "AccessDeniedException")
		}},
		{"no event may be put", "AccessDeniedException", func(s *scene) { s.region.Break("PutLogEvents", -1, 400, "AccessDeniedException") }},
		{"no group may be called so", "InvalidParameterException", func(s *scene) { s.LogGroup = "a b" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			s.Bucket = ""
			c.before(s)
			_, note := s.run("out\n", "")
			if !strings.Contains(note, "\nThe log group "+s.LogGroup+" does not have") || !strings.Contains(note, c.text) {
				t.Errorf("%q", note)
			}
		})
	}
	t.Run("a group that is there needs no permission to make one", func(t *testing.T) {
		s := newScene(t)
		s.Bucket = ""
		s.must(s.client(s.at, cloud.Logs()).Call(t.Context(), "CreateLogGroup", map[string]string{"logGroupName": s.LogGroup}, nil))
		s.region.Break("CreateLogGroup", -1, 400, "AccessDeniedException")
		if _, note := s.run("out\n", ""); note != "" || len(s.logged("cmd/i-1/one/stdout")) != 1 {
			t.Errorf("%q", note)
		}
	})
}

func TestAStepWithoutARegionSaysThatItsOutputIsKeptNowhereElse(t *testing.T) {
	s := newScene(t)
	capture, err := output.Open(s.Dir)
	s.must(err)
	keepers := output.Begin(t.Context(), output.Table(output.Region{}), s.Settings, s.Location)
	fmt.Fprint(capture.Stdout(), "x")
	up, note, err := keepers.End(t.Context(), s.Location)
	s.must(err)
	s.must(capture.Close())
	if up != (output.Upload{}) || !strings.Contains(note, "The S3 bucket outputs does not have") ||
		!strings.Contains(note, "The log group /aws/ssm/Doc does not have 1 of 1 bytes of stdout") {
		t.Errorf("%+v %q", up, note)
	}
}
