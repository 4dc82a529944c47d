package logfile

import (
	"bytes"
	"context"
	"io"
	"time"
)

// NonBlocking is a writer that never blocks: lines that w does not take in time are dropped. The returned func waits at most 50 ms
// for the lines that are on their way.
func NonBlocking(w io.Writer) (io.Writer, func()) {
	if w == nil {
		return nil, func() {}
	}
	lines, done := make(chan []byte, 128), make(chan struct{})
	go func() {
		defer close(done)
		for line := range lines {
			if line == nil {
				return
			}
			_, _ = w.Write(line) // a line that cannot be written is lost
		}
	}()
	return dropping(lines), func() {
		ctx, end := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer end()
		select {
		case lines <- nil: // the end
		case <-ctx.Done():
		}
		select {
		case <-done:
		case <-ctx.Done():
		}
	}
}

type dropping chan []byte

// Write never blocks.
func (d dropping) Write(line []byte) (int, error) {
	select {
	case d <- bytes.Clone(line):
	default:
	}
	return len(line), nil
}
