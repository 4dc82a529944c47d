// Package bucket reads a region's bucket over HTTP, or from a folder: VERSION files, the manifest, packages. Every download of a release
// goes through it: updater, installation, mirror, self-update, ssm-setup-cli.
//
// What must always be true, whatever the other side sends:
//   - No body is read without a bound. Small files have at most [MaxSmall] bytes and [SmallTime] in all; a package has the size
//     that its listing names, else the server's answer (at most [MaxPackage]), and comes at [Pace] or faster (rules.go).
//   - A redirect is followed only to where the answer can still be trusted, and nothing but the request's own headers goes
//     along (redirect.go).
//   - A download goes to "<file>.part" first, goes on where it stopped after a fault (Range with the ETag it began with, kept in
//     "<file>.part.etag"), is hashed, synced and only then renamed: a file of the wanted name is always whole and has the wanted
//     SHA-256. A part that is complete already is hashed, not asked for.
//   - A client that was told what the region signed ([Options].Signed) believes nothing else: a small file, a version of the manifest, a
//     package counts only as the signed list has it (signed.go).
//   - Of a folder only regular files are read, each is opened once, and no link in it is followed (folder.go).
//
// Answers that are not from a bucket (login pages, proxies) are refused by what they carry, never by luck.
// Facts: docs/protocol/update.md, "Manifest URL and endpoints", "Manifest file", "Download and verification".
package bucket

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/ground"
)

// Options of a client. Only Base is needed.
type Options struct {
	Base    string       // address of the bucket, https://s3.<region>.<domain>/amazon-ssm-<region>, or file:///folder
	HTTP    *http.Client // nil: TLS 1.2 and up, proxy from the environment
	Retries int          // tries after the first; 0 means 5, negative none
	Pause   func(ctx context.Context, d time.Duration) error
	Log     *slog.Logger
	Signed  Signed // what the region signed; nil: nothing is verified but what the manifest lists
}

// Client reads one bucket. Copies share what was verified.
type Client struct {
	o      Options
	signed *verification
}

// New makes a client.
func New(o Options) *Client {
	if o.HTTP == nil {
		o.HTTP = DefaultHTTP()
	}
	if dir, ok := regions.FolderOf(o.Base); ok {
		o.HTTP = &http.Client{Transport: folder(dir)}
	}
	own := *o.HTTP
	own.Jar, own.CheckRedirect = nil, func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	o.HTTP = &own
	if o.Retries == 0 {
		o.Retries = 5
	}
	if o.Pause == nil {
		o.Pause = ground.Sleep
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Client{o, &verification{}}
}

// DefaultHTTP is a client without a total time-out (packages are large), with one for every phase before the body. It believes the
// system's roots, or those of the file AWS_CA_BUNDLE alone, as the agent does.
func DefaultHTTP() *http.Client {
	roots, err := bundle(os.Getenv("AWS_CA_BUNDLE"))
	if err != nil {
		return &http.Client{Transport: failing{err}}
	}
	return &http.Client{Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		TLSHandshakeTimeout:   20 * time.Second,
		ResponseHeaderTimeout: 30 * time.Second,
		IdleConnTimeout:       30 * time.Second,
		MaxIdleConnsPerHost:   2,
	}}
}

// Faults that callers test for.
var (
	ErrUnreachable = fault.New(fault.Region, "region cannot be reached", "")
	ErrMissing     = fault.New(fault.Region, "not in the bucket",
		"ssm-setup regions shows what each region serves")
	ErrDenied = fault.New(fault.Region, "the bucket denies it",
		"hosts read without credentials, and the bucket does not allow that; or the region's name is misspelled")
	ErrChecksum = fault.New(fault.Verify, "checksum does not match the manifest", "")
	ErrSize     = fault.New(fault.Verify, "size is not the expected one", "")
	// ErrSlow says that the body did not come at [Pace], or not within its time in all. A part of a package stays.
	ErrSlow = fault.New(fault.Region, "it comes too slowly",
		"the network or the region is slow: run it again, the download of a package goes on where it stopped")
	ErrNotBucket = fault.New(fault.Region, "the answer is not from a release bucket",
		"something between here and the region answers in its place: check proxy and --endpoint")
)

// StatusError is an answer other than 2xx and the two faults above.
type StatusError struct {
	URL    string
	Status int
	Retry  time.Duration // when to come back, as the answer says; 0: it does not say
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("http request failed. status:%s statuscode:%d (%s)", http.StatusText(e.Status), e.Status, e.URL)
}

// Kind is the word of manifests/fault for an answer that is no file.
func (*StatusError) Kind() string { return string(fault.Region) }

// Hint is the next step for the caller.
func (*StatusError) Hint() string {
	return "the region has a fault of its own: try again later, or another region"
}

// Base is the bucket's address.
func (c *Client) Base() string { return c.o.Base }

// Latest is the content of latest/VERSION, Stable of stable/VERSION.
func (c *Client) Latest(ctx context.Context) (manifests.Version, error) {
	return c.versionFile(ctx, regions.LatestVersionKey)
}

// Stable is the content of stable/VERSION.
func (c *Client) Stable(ctx context.Context) (manifests.Version, error) {
	return c.versionFile(ctx, regions.StableVersionKey)
}

func (c *Client) versionFile(ctx context.Context, key string) (manifests.Version, error) {
	b, err := c.small(ctx, key, manifests.MaxVersionFile)
	if err != nil {
		return manifests.Version{}, err
	}
	v, err := manifests.ParseVersionFile(b)
	if err != nil {
		return manifests.Version{}, fmt.Errorf("invalid version format returned from %s: %w", c.url(key), err)
	}
	return v, nil
}

// Manifest reads and checks ssm-agent-manifest.json.
func (c *Client) Manifest(ctx context.Context) (*manifests.Manifest, error) {
	b, err := c.small(ctx, regions.ManifestKey, manifests.MaxManifest)
	if err != nil {
		return nil, err
	}
	m, err := manifests.ParseManifest(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.url(regions.ManifestKey), err)
	}
	l, err := c.listing(ctx)
	if l != nil {
		l.keepListed(m)
	}
	return m, err
}

// FileURL is where a version's file lies in this bucket. The manifest's template is not used: a mirror keeps the layout,
// not the address.
func (c *Client) FileURL(pkg string, v manifests.Version, file string) string {
	return c.url(pkg + "/" + v.String() + "/" + file)
}

func (c *Client) url(key string) string { return c.o.Base + "/" + key }

// Small reads a whole object of at most limit bytes, verified where the client verifies; what is signed itself comes as it is.
func (c *Client) Small(ctx context.Context, key string, limit int64) ([]byte, error) {
	if strings.HasPrefix(key, regions.TrustFolder) {
		return c.plain(ctx, key, limit)
	}
	return c.small(ctx, key, limit)
}

// plain reads a small object as the bucket has it.
func (c *Client) plain(ctx context.Context, key string, limit int64) ([]byte, error) {
	limit = min(limit, MaxSmall)
	ctx, cancel := context.WithTimeoutCause(ctx, SmallTime, fmt.Errorf("%w: %s is not here after %s", ErrSlow, c.url(key), SmallTime))
	defer cancel()
	var body []byte
	err := c.retry(ctx, func() error {
		res, err := c.get(ctx, c.url(key), nil, smallFile)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if res.ContentLength > limit {
			return fmt.Errorf("%w: %s has %d bytes, at most %d expected", ErrNotBucket, c.url(key), res.ContentLength, limit)
		}
		body, err = io.ReadAll(io.LimitReader(res.Body, limit+1))
		if err != nil {
			return unreachable(err)
		}
		if int64(len(body)) > limit {
			return fmt.Errorf("%w: %s has more than %d bytes", ErrNotBucket, c.url(key), limit)
		}
		return nil
	})
	return body, tooSlow(ctx, err)
}

// get sends one request, and more where the answer is a redirect that may be followed, and sorts the answer: 200 and 206 pass.
func (c *Client) get(ctx context.Context, address string, header http.Header, kind content) (*http.Response, error) {
	at, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	for begin, hop := at, 0; ; hop++ {
		res, err := c.send(ctx, at, header)
		if err != nil {
			return nil, err
		}
		if e := c.elsewhere(at, res); e != nil {
			drain(res)
			return nil, e
		}
		if !redirects(res.StatusCode) {
			return res, c.sort(res, address)
		}
		if at, err = follow(begin, at, res, hop, kind); err != nil {
			return nil, err
		}
	}
}

func (c *Client) send(ctx context.Context, to *url.URL, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, to.String(), nil)
	if err != nil {
		return nil, err
	}
	for k, v := range header {
		req.Header[k] = v
	}
	res, err := c.o.HTTP.Do(req)
	if fault := (*folderFault)(nil); errors.As(err, &fault) {
		return nil, fault.cause
	}
	if err != nil {
		return nil, unreachable(err)
	}
	return res, nil
}

// sort makes an error of every answer but 200 and 206.
func (c *Client) sort(res *http.Response, address string) (err error) {
	switch res.StatusCode {
	case http.StatusOK, http.StatusPartialContent:
		return nil
	case http.StatusNotFound:
		err = fmt.Errorf("%w: %s", ErrMissing, address)
	case http.StatusForbidden:
		err = fmt.Errorf("%w: %s", ErrDenied, address)
	default:
		err = &StatusError{URL: address, Status: res.StatusCode, Retry: retryAfter(res.Header, time.Now())}
	}
	drain(res)
	return err
}

// drain reads a little of a body that is of no use, so that the connection can be used again.
func drain(res *http.Response) {
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<16))
	res.Body.Close()
}

func unreachable(err error) error {
	if untrusted(err) {
		return fmt.Errorf("%w: %w", ErrUntrusted, err)
	}
	return fmt.Errorf("%w: %w", ErrUnreachable, err)
}

// retry repeats f after transport faults, 5xx and 429: from 200 ms, doubling, 20 % jitter, at most 30 s a pause.
func (c *Client) retry(ctx context.Context, f func() error) error {
	for n := 0; ; n++ {
		err := f()
		if err == nil || n >= c.o.Retries || !transient(err) || ctx.Err() != nil {
			return err
		}
		d := min(200*time.Millisecond<<n, 30*time.Second)
		d = time.Duration(float64(d) * (0.8 + 0.4*rand.Float64())) //nolint:gosec // jitter, no secret
		c.o.Log.Info("trying again", "after", d, "because", err)
		if c.o.Pause(ctx, d) != nil {
			return err
		}
	}
}

// transient tells faults that another try may cure.
func transient(err error) bool {
	var s *StatusError
	if errors.As(err, &s) {
		return s.Status >= 500 || s.Status == http.StatusTooManyRequests
	}
	return errors.Is(err, ErrUnreachable) || errors.Is(err, ErrSlow)
}
