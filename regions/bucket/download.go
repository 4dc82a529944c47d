package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/ground"
)

// Want is a file to fetch.
type Want struct {
	URL      string
	Path     string                  // where it shall lie; its folder must exist
	SHA256   manifests.Sum           // must not be zero
	Size     int64                   // bytes, as listed; 0: as the server says, at most MaxPackage
	Progress func(done, total int64) // progress, may be nil
	Rate     int64                   // bytes a second that it takes at most, [LeastRate] or more; 0: all there are
}

// Fetch brings a file whole and checked to w.Path. A file of that name with the right hash is kept as it is, and so is a part that
// has it. On ErrChecksum and ErrSize nothing stays; after other faults the part stays for the next call to go on with.
func (c *Client) Fetch(ctx context.Context, w Want) error {
	if err := c.listedWant(ctx, &w); err != nil {
		return err
	}
	if w.SHA256.IsZero() {
		return fmt.Errorf("%w: the manifest has no checksum for %s", ErrChecksum, w.URL)
	}
	if w.Progress == nil {
		w.Progress = func(int64, int64) {}
	}
	if CheckFile(w.Path, w.SHA256) == nil {
		w.Progress(1, 1)
		return nil
	}
	part := w.Path + ".part"
	if CheckFile(part, w.SHA256) == nil { // the program that fetched it ended before it had its name
		w.Progress(1, 1)
		return finish(part, w.Path)
	}
	if w.Size = max(w.Size, 0); w.Size > MaxListed {
		return fmt.Errorf("%w: %s is listed with %d bytes, at most %d accepted", ErrSize, w.URL, w.Size, int64(MaxListed))
	}
	ctx, limit := newBudget(ctx, w.Size)
	defer limit.end()
	err := tooSlow(ctx, c.retry(ctx, func() error { return c.resume(ctx, w, part, limit) }))
	if errors.Is(err, ErrSize) {
		dropPart(part)
	}
	if err != nil {
		return err
	}
	if err := CheckFile(part, w.SHA256); err != nil {
		dropPart(part)
		return fmt.Errorf("%s: %w", w.URL, err)
	}
	return finish(part, w.Path)
}

// finish gives a complete part its name.
func finish(part, path string) error {
	os.Remove(part + ".etag")
	return ground.Name(part, path)
}

// resume appends to the part until it is complete. A part is gone on with only if the object is still the same one.
func (c *Client) resume(ctx context.Context, w Want, part string, limit *budget) error {
	f, err := os.OpenFile(part, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	have, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	res, err := c.ask(ctx, w, have, part)
	var s *StatusError
	if errors.As(err, &s) && s.Status == http.StatusRequestedRangeNotSatisfiable { // nothing lies behind what we have: begin anew
		dropTag(part)
		res, err = c.ask(ctx, w, 0, part)
	}
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusOK {
		if have, err = 0, restart(f); err != nil {
			return err
		}
	}
	total, err := size(w, have, res)
	if err != nil {
		return err
	}
	limit.extend(total)
	if tag := res.Header.Get("ETag"); strong(tag) {
		_ = os.WriteFile(part+".etag", []byte(tag), 0o600) // without it the next call begins anew
	}
	return copyBody(ctx, f, &slowed{r: res.Body, rate: w.Rate, pause: c.o.Pause, now: time.Now}, have, total, w.Progress)
}

// ask sends the request for what is missing; the whole file where nothing is here, or where it is not known of which object.
func (c *Client) ask(ctx context.Context, w Want, have int64, part string) (*http.Response, error) {
	header := http.Header{"Accept-Encoding": {"identity"}}
	tag, _ := os.ReadFile(part + ".etag")
	ranged := have > 0 && strong(string(tag)) && (w.Size == 0 || have < w.Size)
	if ranged {
		header.Set("Range", "bytes="+strconv.FormatInt(have, 10)+"-")
		header.Set("If-Range", string(tag))
	}
	res, err := c.get(ctx, w.URL, header, packageBody)
	if err != nil {
		return nil, err
	}
	begins, named := "bytes "+strconv.FormatInt(have, 10)+"-", res.Header.Get("Content-Range")
	if res.StatusCode == http.StatusPartialContent && (!ranged || named != "" && !strings.HasPrefix(named, begins)) {
		res.Body.Close()
		return nil, fmt.Errorf("%w: %s answers with a part that was not asked for", ErrNotBucket, w.URL)
	}
	return res, nil
}

// strong tells whether a tag names one content byte for byte and can be sent back.
func strong(tag string) bool {
	return len(tag) >= 2 && len(tag) <= 256 && tag[0] == '"' && tag[len(tag)-1] == '"' &&
		!strings.ContainsFunc(tag, func(r rune) bool { return r <= ' ' || r > '~' })
}

func restart(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.Seek(0, io.SeekStart)
	return err
}

// size is the size of the whole file, known before the body is read, and that of the listing where that names one.
func size(w Want, have int64, res *http.Response) (int64, error) {
	if res.ContentLength < 0 {
		return 0, fmt.Errorf("%w: %s does not say its size", ErrNotBucket, w.URL)
	}
	total := have + res.ContentLength
	if w.Size > 0 && total != w.Size {
		return 0, fmt.Errorf("%w: %s has %d bytes, %d expected", ErrSize, w.URL, total, w.Size)
	}
	if w.Size == 0 && total > MaxPackage {
		return 0, fmt.Errorf("%w: %s has %d bytes, at most %d accepted", ErrSize, w.URL, total, int64(MaxPackage))
	}
	return total, nil
}

// copyBody copies the body, which must keep [Pace], tells of progress, and syncs.
func copyBody(ctx context.Context, f *os.File, body *slowed, have, total int64, tell func(done, total int64)) error {
	var got atomic.Int64
	ctx, end := keepPace(ctx, &got)
	defer end()
	defer context.AfterFunc(ctx, func() { body.r.Close() })()
	buf := make([]byte, 128<<10)
	for have < total {
		n, err := body.read(ctx, buf[:min(int64(len(buf)), total-have)])
		if n > 0 {
			if _, werr := f.Write(buf[:n]); werr != nil {
				return werr
			}
			have += int64(n)
			got.Add(int64(n))
			tell(have, total)
		}
		if errors.Is(err, io.EOF) && have < total {
			err = io.ErrUnexpectedEOF
		}
		if err == nil || errors.Is(err, io.EOF) {
			continue
		}
		if ctx.Err() != nil {
			err = context.Cause(ctx) // what closed the body
		}
		if errors.Is(err, ErrSlow) {
			return err
		}
		return unreachable(err)
	}
	return f.Sync()
}

func dropPart(part string) {
	os.Remove(part)
	dropTag(part)
}

func dropTag(part string) { os.Remove(part + ".etag") }

// CheckFile checks a file against its SHA-256; ErrChecksum when it differs.
func CheckFile(path string, want manifests.Sum) error {
	got, err := ground.SHA256File(path)
	if err != nil {
		return err
	}
	if got != want.String() {
		return fmt.Errorf("%w: %s has SHA-256 %s, %s expected", ErrChecksum, filepath.Base(path), got, want)
	}
	return nil
}
