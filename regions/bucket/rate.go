package bucket

import (
	"context"
	"io"
	"time"
)

// LeastRate is the lowest limit of a download, in bytes a second: twice the [Pace] that it must keep.
const LeastRate = 2 * Pace

// slowed reads a body no faster than a rate on the average since its first byte.
type slowed struct {
	r     io.ReadCloser
	rate  int64 // bytes a second; 0: no limit
	pause func(context.Context, time.Duration) error
	now   func() time.Time

	began time.Time
	got   int64
}

// read reads at most a quarter of a second's bytes, and waits first where more came than the rate allows.
func (s *slowed) read(ctx context.Context, p []byte) (int, error) {
	if s.rate <= 0 {
		return s.r.Read(p)
	}
	rate := max(s.rate, LeastRate)
	if s.began.IsZero() {
		s.began = s.now()
	}
	due := time.Duration(float64(s.got) / float64(rate) * float64(time.Second))
	if early := due - s.now().Sub(s.began); early > 0 {
		if err := s.pause(ctx, early); err != nil {
			return 0, err
		}
	}
	n, err := s.r.Read(p[:min(int64(len(p)), max(rate/4, 1))])
	s.got += int64(n)
	return n, err
}
