package target

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// tries bounds how often an answer is read that broke off.
const tries = 6

// reading reads an answer, again where the connection breaks in the middle of it.
func reading(ctx context.Context, read func() error) error {
	for try := 1; ; try++ {
		err := read()
		if !errors.Is(err, errCut) || try == tries {
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
