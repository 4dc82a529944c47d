package protocol

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// A query that reads as a presigned one has everything that a signature needs, and lives no longer than a week.
func FuzzPresigned(f *testing.F) {
	const signed = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F20260304%2Feu-west-1%2Fs3%2Faws4_request&" +
		"X-Amz-Date=20260304T050607Z&X-Amz-SignedHeaders=host&X-Amz-Signature=0a"
	f.Add(signed+"&X-Amz-Expires=900&x-id=GetObject", "", "")
	f.Add(signed+"&X-Amz-Expires=-1", "", "")
	f.Add(strings.Replace(signed, "X-Amz-Date=2", "X-Amz-Date=x", 1), "", "")
	f.Add("X-Amz-Signature=%zz", "", "")
	f.Add("", "AWS4-HMAC-SHA256 Credential=mi-0a/20260304/eu-west-1/ssm/aws4_request, SignedHeaders=host;x-amz-date, Signature=a+b/c==",
		"20260304T050607Z")
	f.Add("", "AWS4-HMAC-SHA256 Credential=mi-0a/20260304/eu-west-1/ssm/aws4_request, SignedHeaders=host, Signature=a", "")
	f.Add("a=b", "", "")
	f.Fuzz(func(t *testing.T, query, authorization, date string) {
		req := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/b/k", RawQuery: query}, RequestURI: "/b/k?" + query,
			Header: http.Header{}}
		for name, value := range map[string]string{"Authorization": authorization, "X-Amz-Date": date} {
			if value != "" {
				req.Header.Set(name, value)
			}
		}
		s, err := readSignature(req)
		if err != nil || s == nil {
			return
		}
		if s.KeyID == "" || s.Signature == "" || len(s.SignedHeaders) == 0 || s.at.IsZero() && s.date == "" || s.life > 7*24*time.Hour {
			t.Errorf("%+v", s)
		}
		if s.presigned && strings.Contains("&"+s.rawQuery, "&X-Amz-Signature=") {
			t.Errorf("the signature signs itself: %s", s.rawQuery)
		}
		_ = s.stringToSign(req, "UNSIGNED-PAYLOAD", true)
	})
}
