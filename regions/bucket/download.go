package bucket

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ssm-setup/ssm-setup/regions/ground"
)

// MaxPackage bounds a download whose size no listing names, in bytes.
const MaxPackage = 1 << 30

// Want is a file to fetch.
type Want struct {
	URL      string
	Path     string                  // where it shall lie; its folder must exist
	SHA256   string                  // hex, any case; must not be empty
	Size     int64                   // bytes; 0: as the server says, at most MaxPackage
	Progress func(done, total int64) // progress, may be nil
}

// Fetch brings a file whole and checked to w.Path. A file of that name with the right hash is kept as it is. On
// ErrChecksum and ErrSize nothing stays; after other faults the part stays for the next call to go on with.
func (c *Client) Fetch(ctx context.Context, w Want) error {
	if len(w.SHA256) != 2*sha256.Size {
		return fmt.Errorf("%w: the manifest has no checksum for %s", ErrChecksum, w.URL)
	}
	if CheckFile(w.Path, w.SHA256) == nil {
		if w.Progress != nil {
			w.Progress(1, 1)
		}
		return nil
	}
	part := w.Path + ".part"
	if err := c.retry(ctx, func() error { return c.resume(ctx, w, part) }); err != nil {
		if errors.Is(err, ErrSize) {
			dropPart(part)
		}
		return err
	}
	if err := CheckFile(part, w.SHA256); err != nil {
		dropPart(part)
		return fmt.Errorf("%s: %w", w.URL, err)
	}
	os.Remove(part + ".etag")
	return ground.Name(part, w.Path)
}

// resume appends to the part until it is complete. A part is gone on with only if the object is still the same one.
func (c *Client) resume(ctx context.Context, w Want, part string) error {
	f, err := os.OpenFile(part, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	have, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	header := http.Header{"Accept-Encoding": {"identity"}}
	if etag, _ := os.ReadFile(part + ".etag"); have > 0 && len(etag) > 0 {
		header.Set("Range", "bytes="+strconv.FormatInt(have, 10)+"-")
		header.Set("If-Range", string(etag))
	}
	res, err := c.get(ctx, w.URL, header)
	if err != nil {
		var s *StatusError
		if errors.As(err, &s) && s.Status == http.StatusRequestedRangeNotSatisfiable {
			dropPart(part) // nothing lies behind what we have: begin anew
			return unreachable(err)
		}
		return err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusOK {
		if have, err = 0, restart(f); err != nil {
			return err
		}
	}
	total, err := c.total(w, have, res)
	if err != nil {
		return err
	}
	if etag := res.Header.Get("ETag"); etag != "" && !strings.HasPrefix(etag, "W/") {
		_ = os.WriteFile(part+".etag", []byte(etag), 0o600) // without it the next call begins anew
	}
	return copyBody(f, res.Body, have, total, w.Progress)
}

func restart(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.Seek(0, io.SeekStart)
	return err
}

// total is the size of the whole file, known before the body is read.
func (c *Client) total(w Want, have int64, res *http.Response) (int64, error) {
	if res.ContentLength < 0 {
		return 0, fmt.Errorf("%w: %s does not say its size", ErrNotBucket, w.URL)
	}
	total := have + res.ContentLength
	if w.Size > 0 && total != w.Size {
		return 0, fmt.Errorf("%w: %s has %d bytes, %d expected", ErrSize, w.URL, total, w.Size)
	}
	if total > MaxPackage {
		return 0, fmt.Errorf("%w: %s has %d bytes, at most %d accepted", ErrSize, w.URL, total, int64(MaxPackage))
	}
	return total, nil
}

// copyBody copies the body, tells of progress, and syncs.
func copyBody(f *os.File, body io.Reader, have, total int64, tell func(done, total int64)) error {
	buf := make([]byte, 128<<10)
	for have < total {
		n, err := body.Read(buf[:min(int64(len(buf)), total-have)])
		if n > 0 {
			if _, werr := f.Write(buf[:n]); werr != nil {
				return werr
			}
			have += int64(n)
			if tell != nil {
				tell(have, total)
			}
		}
		if err == io.EOF && have < total {
			err = io.ErrUnexpectedEOF
		}
		if err != nil && err != io.EOF {
			return unreachable(err)
		}
	}
	return f.Sync()
}

func dropPart(part string) {
	os.Remove(part)
	os.Remove(part + ".etag")
}

// CheckFile checks a file against a hex SHA-256; ErrChecksum when it differs.
func CheckFile(path, want string) error {
	got, err := ground.SHA256File(path)
	if err != nil {
		return err
	}
	if !strings.EqualFold(got, want) {
		return fmt.Errorf("%w: %s has SHA-256 %s, %s expected", ErrChecksum, filepath.Base(path), got, strings.ToLower(want))
	}
	return nil
}
