package bucket

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
)

// Elsewhere says that a bucket lies in another region than the one it was looked for in. S3 then answers PermanentRedirect, without an
// address, or, to a request that is signed for the wrong region, AuthorizationHeaderMalformed.
type Elsewhere struct {
	Region string // in which it lies
	Place  string // bucket, or bucket/prefix
}

func (e *Elsewhere) Error() string {
	return "bucket " + e.Place + " lies in region " + e.Region
}

// Kind is that of a place that was named wrong.
func (*Elsewhere) Kind() string { return string(fault.Region) }

// Hint is how the place is named.
func (e *Elsewhere) Hint() string {
	return "name the region it lies in: --source " + fault.Word("s3://"+e.Place+"?region="+e.Region)
}

// regionHeader is how S3 names a bucket's region in every answer about it.
const regionHeader = "X-Amz-Bucket-Region"

// expecting is how S3 names the region in the words of AuthorizationHeaderMalformed.
var expecting = regexp.MustCompile(`expecting '([a-z0-9-]+)'|<Region>([a-z0-9-]+)</Region>`)

// LiesElsewhere reads an answer of S3 that is no success: what it says of the bucket's region, asked being the address that was asked for
// and body what is known of the answer's text. Nil where the answer is about something else.
func LiesElsewhere(asked *url.URL, status int, header http.Header, body string) *Elsewhere {
	misdirected := status == http.StatusMovedPermanently || status == http.StatusTemporaryRedirect ||
		status == http.StatusBadRequest && header.Get("Location") == ""
	if !misdirected || asked == nil {
		return nil
	}
	region := header.Get(regionHeader)
	if found := expecting.FindStringSubmatch(body); region == "" && found != nil && strings.Contains(body, "AuthorizationHeaderMalformed") {
		region = found[1] + found[2]
	}
	if region == "" || regions.Check(region) != nil {
		return nil
	}
	place, _, _ := strings.Cut(strings.TrimPrefix(asked.Path, "/"), "/")
	if b, ok := regions.ParseS3(asked); ok {
		place = b.Name
	}
	return &Elsewhere{Region: region, Place: place}
}

// elsewhere is what an answer says of this client's bucket; nil: nothing. Where S3 names an address to go to, that is followed.
func (c *Client) elsewhere(asked *url.URL, res *http.Response) error {
	if res.StatusCode < http.StatusMultipleChoices || res.Header.Get("Location") != "" {
		return nil
	}
	e := LiesElsewhere(asked, res.StatusCode, res.Header, "")
	if e == nil {
		return nil
	}
	if base, err := url.Parse(c.o.Base); err == nil {
		if _, rest, ok := strings.Cut(strings.Trim(base.Path, "/")+"/", e.Place+"/"); ok {
			e.Place = strings.Trim(e.Place+"/"+rest, "/")
		} else if rest := strings.Trim(base.Path, "/"); rest != "" {
			e.Place += "/" + rest
		}
	}
	return e
}
