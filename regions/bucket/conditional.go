package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Fresh is the answer to a conditional request.
type Fresh struct {
	Content []byte // nil where it is not changed
	Tag     string // of the content, for the next request; empty where the server names none
	Changed bool
}

// IfChanged reads an object of at most limit bytes, unless it still has the tag that was read before: one request, which is not tried
// again, and nothing is verified. An error may say when to come back: see [StatusError].
func (c *Client) IfChanged(ctx context.Context, key string, limit int64, tag string) (f Fresh, err error) {
	limit = min(limit, MaxSmall)
	ctx, cancel := context.WithTimeoutCause(ctx, SmallTime, fmt.Errorf("%w: %s is not here after %s", ErrSlow, c.url(key), SmallTime))
	defer cancel()
	header := http.Header{}
	if tag != "" {
		header.Set("If-None-Match", tag)
	}
	res, err := c.get(ctx, c.url(key), header, smallFile)
	if s := (*StatusError)(nil); errors.As(err, &s) && s.Status == http.StatusNotModified && tag != "" {
		return Fresh{Tag: tag}, nil
	}
	if err != nil {
		return Fresh{}, tooSlow(ctx, err)
	}
	defer res.Body.Close()
	f.Content, err = io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err != nil {
		return Fresh{}, tooSlow(ctx, unreachable(err))
	}
	if int64(len(f.Content)) > limit {
		return Fresh{}, fmt.Errorf("%w: %s has more than %d bytes", ErrNotBucket, c.url(key), limit)
	}
	if t := res.Header.Get("ETag"); len(t) <= 256 {
		f.Tag = t
	}
	f.Changed = true
	return f, nil
}

// retryAfter reads a Retry-After, in seconds or as a date; 0 for none.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if n, err := strconv.Atoi(text); err == nil && n > 0 && n < 1<<30 {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
