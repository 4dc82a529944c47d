package bucket_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// answers stands for the network where the time of a test is not that of a clock (testing/synctest).
type answers func(r *http.Request) *http.Response

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	if res := a(r); res != nil {
		return res, nil
	}
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func answer(r *http.Request, status int, size int64, body io.Reader, header ...string) *http.Response {
	res := &http.Response{StatusCode: status, ContentLength: size, Body: io.NopCloser(body), Header: http.Header{}, Request: r}
	if c, ok := body.(io.ReadCloser); ok {
		res.Body = c
	}
	for i := 0; i < len(header); i += 2 {
		res.Header.Set(header[i], header[i+1])
	}
	return res
}

// drip gives some bytes every so often, until it is closed or its request ends.
type drip struct {
	ctx    context.Context
	closed chan struct{}
	left   []byte
	step   int
	every  time.Duration
	cut    bool // it breaks off at its end
}

func dripping(r *http.Request, content []byte, step int, every time.Duration) *drip {
	return &drip{ctx: r.Context(), closed: make(chan struct{}), left: content, step: step, every: every}
}

func (d *drip) Read(p []byte) (int, error) {
	select {
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	case <-d.closed:
		return 0, errors.New("read on a closed body")
	case <-time.After(d.every):
	}
	if len(d.left) == 0 && d.cut {
		return 0, io.ErrUnexpectedEOF
	}
	if len(d.left) == 0 {
		return 0, io.EOF
	}
	n := copy(p, d.left[:min(d.step, len(d.left))])
	d.left = d.left[n:]
	return n, nil
}

func (d *drip) Close() error {
	select {
	case <-d.closed:
	default:
		close(d.closed)
	}
	return nil
}

// at is a client for answers at https://bucket.example/b.
func at(a answers, retries int) *bucket.Client {
	return bucket.New(bucket.Options{Base: "https://bucket.example/b", HTTP: &http.Client{Transport: a}, Retries: retries})
}

func TestASmallFileThatDripsIsGivenUpAfterAMinuteInAll(t *testing.T) {
	for name, a := range map[string]answers{
		"a byte a second": func(r *http.Request) *http.Response {
			return answer(r, 200, -1, dripping(r, bytes.Repeat([]byte("1"), 500), 1, time.Second))
		},
		"no answer": func(*http.Request) *http.Response { return nil },
		"broken off each 9 s": func(r *http.Request) *http.Response {
			body := dripping(r, []byte("1"), 1, 9*time.Second)
			body.cut = true
			return answer(r, 200, 100, body)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				_, err := at(a, 100).Latest(t.Context())
				if took := time.Since(began); !errors.Is(err, bucket.ErrSlow) || took != bucket.SmallTime {
					t.Errorf("%v after %s", err, took)
				}
			})
		})
	}
}

func TestASmallFileHasAtMostSixteenMebibytesWhateverIsAllowed(t *testing.T) {
	for _, stated := range []int64{-1, 17 << 20} {
		c := at(func(r *http.Request) *http.Response {
			return answer(r, 200, stated, io.LimitReader(endless{}, 17<<20))
		}, -1)
		if b, err := c.Small(t.Context(), "index", 1<<40); !errors.Is(err, bucket.ErrNotBucket) {
			t.Errorf("%d bytes stated: %d bytes, %v", stated, len(b), err)
		}
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestAPackageThatDripsIsGivenUpAndItsPartGoneOnWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		content := bytes.Repeat([]byte("0123456789abcdef"), 60_000)
		path := filepath.Join(t.TempDir(), "file")
		w := wantOf(t, "https://bucket.example/b/f", content)
		w.Path, w.Size = path, int64(len(content))
		began := time.Now()
		err := at(func(r *http.Request) *http.Response {
			return answer(r, 200, w.Size, dripping(r, content, 1000, time.Second), "ETag", `"one"`)
		}, -1).Fetch(t.Context(), w)
		if took := time.Since(began); !errors.Is(err, bucket.ErrSlow) || took != time.Minute {
			t.Fatalf("%v after %s", err, took)
		}
		part, err := os.ReadFile(path + ".part")
		if err != nil || len(part) < 50_000 || !bytes.HasPrefix(content, part) {
			t.Fatalf("the part has %d bytes, %v", len(part), err)
		}
		var asked []string
		err = at(func(r *http.Request) *http.Response {
			asked = append(asked, r.Header.Get("Range"))
			rest := content[len(part):]
			return answer(r, 206, int64(len(rest)), bytes.NewReader(rest), "ETag", `"one"`)
		}, -1).Fetch(t.Context(), w)
		if err != nil || fmt.Sprint(asked) != fmt.Sprintf("[bytes=%d-]", len(part)) {
			t.Errorf("the next try: %v, asked for %v", err, asked)
		}
	})
}

func TestAPackageThatComesAtItsPaceIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		content := bytes.Repeat([]byte("0123456789abcdef"), 60_000) // more than three minutes
		w := wantOf(t, "https://bucket.example/b/f", content)
		err := at(func(r *http.Request) *http.Response {
			return answer(r, 200, int64(len(content)), dripping(r, content, 5_000, time.Second))
		}, -1).Fetch(t.Context(), w)
		if err != nil {
			t.Error(err)
		}
	})
}

func TestAPackageThatComesInSpurtsHasItsTimeInAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		content := bytes.Repeat([]byte("0123456789abcdef"), 60_000)
		w := wantOf(t, "https://bucket.example/b/f", content)
		w.Size = int64(len(content))
		began := time.Now()
		err := at(func(r *http.Request) *http.Response { // each try begins anew and ends before the pace of a minute is measured
			return answer(r, 200, w.Size, dripping(r, content[:1000], 1, 50*time.Millisecond))
		}, 1000).Fetch(t.Context(), w)
		all := time.Duration(len(content))*time.Second/4096 + time.Minute
		if took := time.Since(began); !errors.Is(err, bucket.ErrSlow) || took != all {
			t.Errorf("%v after %s, want the end after %s", err, took, all)
		}
	})
}

func TestAPackageOfAnotherSizeThanListedIsNotRead(t *testing.T) {
	content := []byte("some package of the listed size")
	for name, c := range map[string]struct {
		size, stated int64
		body         io.Reader
		err          error
	}{
		"more stated":             {int64(len(content)), 1 << 30, endless{}, bucket.ErrSize},
		"less stated":             {int64(len(content)), 5, strings.NewReader("short"), bucket.ErrSize},
		"stated and longer":       {int64(len(content)), int64(len(content)), endless{}, bucket.ErrChecksum},
		"stated and shorter":      {int64(len(content)), int64(len(content)), strings.NewReader("short"), bucket.ErrUnreachable},
		"not stated":              {int64(len(content)), -1, endless{}, bucket.ErrNotBucket},
		"none listed and too big": {0, bucket.MaxPackage + 1, endless{}, bucket.ErrSize},
		"listed and too big":      {bucket.MaxListed + 1, bucket.MaxListed + 1, endless{}, bucket.ErrSize},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			err := at(func(r *http.Request) *http.Response { return answer(r, 200, c.stated, c.body) }, -1).
				Fetch(t.Context(), bucket.Want{URL: "https://bucket.example/b/f", Path: path, SHA256: sum(content), Size: c.size})
			if !errors.Is(err, c.err) {
				t.Errorf("%v, want %v", err, c.err)
			}
			if info, err := os.Stat(path + ".part"); err == nil && info.Size() > int64(len(content)) {
				t.Errorf("%d bytes were written", info.Size())
			}
		})
	}
}

func TestAPartThatIsCompleteIsNotAskedFor(t *testing.T) {
	content := bytes.Repeat([]byte("whole"), 1000)
	for _, tag := range []string{"", `"one"`} { // killed after or before the tag's file was removed
		path := filepath.Join(t.TempDir(), "file")
		write(t, path+".part", content)
		if tag != "" {
			write(t, path+".part.etag", []byte(tag))
		}
		c := at(func(r *http.Request) *http.Response {
			t.Error("it was asked for")
			return answer(r, 416, 0, http.NoBody)
		}, -1)
		if err := c.Fetch(t.Context(), bucket.Want{URL: "https://bucket.example/b/f", Path: path, SHA256: sum(content)}); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(path); !bytes.Equal(got, content) {
			t.Error("content differs")
		}
		if left, _ := filepath.Glob(path + ".*"); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
}

func TestARangeThatCannotBeServedBeginsAnew(t *testing.T) {
	content := bytes.Repeat([]byte("whole"), 1000)
	for name, part := range map[string][]byte{"as long": bytes.Repeat([]byte("other"), 1000), "longer": bytes.Repeat([]byte("other"), 1001)} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			write(t, path+".part", part)
			write(t, path+".part.etag", []byte(`"one"`))
			c := at(func(r *http.Request) *http.Response {
				if r.Header.Get("Range") != "" {
					return answer(r, 416, 0, http.NoBody)
				}
				return answer(r, 200, int64(len(content)), bytes.NewReader(content), "ETag", `"one"`)
			}, -1)
			if err := c.Fetch(t.Context(), bucket.Want{URL: "https://bucket.example/b/f", Path: path, SHA256: sum(content)}); err != nil {
				t.Fatal(err)
			}
			if got, _ := os.ReadFile(path); !bytes.Equal(got, content) {
				t.Error("content differs")
			}
		})
	}
}

// wantOf is a wish for some content, of no listed size.
func wantOf(t *testing.T, url string, content []byte) bucket.Want {
	return bucket.Want{URL: url, Path: filepath.Join(t.TempDir(), "file"), SHA256: sum(content)}
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
