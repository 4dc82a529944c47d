package bucket

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
)

// ErrRedirect says that the bucket sends elsewhere, to where its files are not fetched from. Nothing of the answer is repeated but
// scheme and host.
var ErrRedirect = fault.New(fault.Region, "redirect refused",
	"something between here and the region answers in its place, or the mirror moved: check proxy and --endpoint")

// mostRedirects is how many redirects one request follows.
const mostRedirects = 10

// content says how an answer is trusted.
type content int

const (
	smallFile   content = iota // by where it comes from: VERSION, manifest, index, signature
	packageBody                // by its hash, which is known
)

func redirects(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// follow is where a redirect leads, if a file of that kind, asked for at begin, may come from there. The next request carries the
// headers of the first; no credentials, cookies or referrer.
func follow(begin, at *url.URL, res *http.Response, hop int, kind content) (*url.URL, error) {
	drain(res)
	if hop >= mostRedirects {
		return nil, fmt.Errorf("%w: more than %d from %s", ErrRedirect, mostRedirects, place(begin))
	}
	location := res.Header.Get("Location")
	to, err := at.Parse(location)
	if err != nil || location == "" || to.Host == "" {
		return nil, fmt.Errorf("%w: %s names no address", ErrRedirect, place(at))
	}
	to.User, to.Fragment = nil, ""
	switch {
	case to.Scheme != "https" && to.Scheme != "http":
		return nil, fmt.Errorf("%w: %s sends to another protocol", ErrRedirect, place(at))
	case at.Scheme == "https" && to.Scheme != "https":
		return nil, fmt.Errorf("%w: from https to plain http: %s sends to %s", ErrRedirect, place(at), place(to))
	case sameHost(begin, to), kind == packageBody && to.Scheme == "https", sameBucket(begin, to):
		return to, nil
	}
	return nil, fmt.Errorf("%w: %s sends to %s", ErrRedirect, place(begin), place(to))
}

// place is what of an address is told to people.
func place(u *url.URL) string { return u.Scheme + "://" + u.Host }

// sameHost tells whether an address is on the host asked first: with the same port, or by https where it was plain http.
func sameHost(begin, to *url.URL) bool {
	if !strings.EqualFold(begin.Hostname(), to.Hostname()) {
		return false
	}
	return port(begin) == port(to) || begin.Scheme == "http" && to.Scheme == "https"
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return map[string]string{"http": "80", "https": "443"}[u.Scheme]
}

// sameBucket tells whether both are AWS's addresses of one bucket: S3 answers 307 to the region's host of a bucket that is asked
// for at another.
func sameBucket(begin, to *url.URL) bool {
	from, ok := regions.ParseS3(begin)
	other, also := regions.ParseS3(to)
	return ok && also && from == other && to.Scheme == "https"
}
