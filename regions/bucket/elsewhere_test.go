package bucket_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

func TestABucketOfAnotherRegionIsNamedWithItsRegionAndTheSourceThatReachesIt(t *testing.T) {
	for _, c := range []struct {
		base   string
		status int
		header []string
		hint   string // empty: it is another fault
	}{
		{"https://s3.eu-west-1.amazonaws.com/mine", 301, []string{"X-Amz-Bucket-Region", "us-east-2"}, "s3://mine?region=us-east-2"},
		{"https://s3.eu-west-1.amazonaws.com/mine/a/b", 301, []string{"X-Amz-Bucket-Region", "us-east-2"}, "s3://mine/a/b?region=us-east-2"},
		{"https://mine.s3.eu-west-1.amazonaws.com/a", 301, []string{"X-Amz-Bucket-Region", "us-east-2"}, "s3://mine/a?region=us-east-2"},
		{"https://s3.eu-west-1.amazonaws.com/mine", 400, []string{"X-Amz-Bucket-Region", "us-east-2"}, "s3://mine?region=us-east-2"},
		{"https://s3.eu-west-1.amazonaws.com/mine", 301, []string{"X-Amz-Bucket-Region", "../../x"}, ""},
		{"https://s3.eu-west-1.amazonaws.com/mine", 301, nil, ""},
		{"https://s3.eu-west-1.amazonaws.com/mine", 403, []string{"X-Amz-Bucket-Region", "us-east-2"}, ""},
	} {
		h := &http.Client{Transport: answers(func(r *http.Request) *http.Response {
			return answer(r, c.status, -1, strings.NewReader("<Error><Code>PermanentRedirect</Code></Error>"), c.header...)
		})}
		_, err := bucket.New(bucket.Options{Base: c.base, HTTP: h, Retries: -1}).Latest(t.Context())
		var e *bucket.Elsewhere
		if c.hint == "" {
			if err == nil || errors.As(err, &e) {
				t.Errorf("%+v: %v", c, err)
			}
			continue
		}
		if !errors.As(err, &e) || e.Region != "us-east-2" || !strings.Contains(err.Error(), "lies in region us-east-2") ||
			!strings.Contains(fault.HintOf(err), "--source "+fault.Word(c.hint)) || fault.Of(err) != fault.Region {
			t.Errorf("%+v: %v, hint %q", c, err, fault.HintOf(err))
		}
	}
}

func TestTheRegionOfABucketIsReadFromWhatS3SaysOfASignature(t *testing.T) {
	at, err := url.Parse("https://s3.eu-west-1.amazonaws.com/mine/latest/VERSION")
	if err != nil {
		t.Fatal(err)
	}
	for body, region := range map[string]string{
		"AuthorizationHeaderMalformed: the region 'eu-west-1' is wrong; expecting 'us-east-2'":    "us-east-2",
		"<Code>AuthorizationHeaderMalformed</Code><Message>m</Message><Region>us-east-2</Region>": "us-east-2",
		"MalformedXML: expecting 'us-east-2'":                                                     "",
		"AuthorizationHeaderMalformed":                                                            "",
	} {
		e := bucket.LiesElsewhere(at, 400, http.Header{}, body)
		if (e == nil) != (region == "") || e != nil && (e.Region != region || e.Place != "mine") {
			t.Errorf("%s: %+v", body, e)
		}
	}
}
