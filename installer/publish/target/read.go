package target

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// tries bounds how often an answer is read that broke off, and how often a change is made anew because another publication was faster.
const tries = 6

// MaxSmall bounds what is read whole, in bytes.
const MaxSmall = 64 << 20

// Retry runs a change until no other is faster ([ErrChanged]), with growing pauses.
func Retry(ctx context.Context, change func() error) error { return again(ctx, ErrChanged, change) }

// reading reads an answer, again where the connection breaks in the middle of it.
func reading(ctx context.Context, read func() error) error { return again(ctx, errCut, read) }

func again(ctx context.Context, fault error, do func() error) error {
	for try := 1; ; try++ {
		err := do()
		if !errors.Is(err, fault) || try == tries {
			return err
		}
		if err := host.Sleep(ctx, time.Duration(try*try)*20*time.Millisecond); err != nil {
			return err
		}
	}
}

// ReadLimited reads an object of at most limit bytes.
func ReadLimited(ctx context.Context, from Target, key string, limit int64) (b []byte, tag string, err error) {
	err = reading(ctx, func() error {
		var body io.ReadCloser
		if body, tag, err = from.Read(ctx, key); err != nil {
			return err
		}
		defer body.Close()
		b, err = io.ReadAll(io.LimitReader(body, limit))
		return err
	})
	return b, tag, err
}

// CopyOut copies an object into a file of this machine.
func CopyOut(ctx context.Context, from Target, key, path string) error {
	body, _, err := from.Read(ctx, key)
	if err != nil {
		return err
	}
	defer body.Close()
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.Copy(f, body); err != nil {
		return err
	}
	return f.Close()
}
