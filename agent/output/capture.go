package output

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// Files of one step.
const (
	stdoutFile, stdoutConsole = "stdout", "stdoutConsole"
	stderrFile, stderrConsole = "stderr", "stderrConsole"
)

// Capture takes both streams of one action.
type Capture struct {
	out, err *stream
}

// Open opens the files in dir (made 0700). A folder that cannot be made or written is an error.
func Open(dir string) (*Capture, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	out, err := openStream(filepath.Join(dir, stdoutFile), filepath.Join(dir, stdoutConsole))
	if err != nil {
		return nil, err
	}
	fail, err := openStream(filepath.Join(dir, stderrFile), filepath.Join(dir, stderrConsole))
	if err != nil {
		_ = out.close()
		return nil, err
	}
	return &Capture{out: out, err: fail}, nil
}

// InMemory is a capture without files: what is beyond [StreamLimit] is gone.
func InMemory() *Capture { return &Capture{out: &stream{}, err: &stream{}} }

// Stdout and Stderr may be written at the same time; they take everything and never return an error.
func (c *Capture) Stdout() io.Writer { return c.out }

// Stderr is the other stream.
func (c *Capture) Stderr() io.Writer { return c.err }

// Texts are both streams from the first byte in their files, each at most [StreamLimit] long but not marked as cut:
// pass them through [Limit].
func (c *Capture) Texts() (stdout, stderr string) { return c.out.text(), c.err.text() }

// Lost is the first write to a file that failed: the files have the beginning only, or nothing.
func (c *Capture) Lost() error { return errors.Join(c.out.lost(), c.err.lost()) }

// Close closes the files; the first write that failed, if any, is the error.
func (c *Capture) Close() error { return errors.Join(c.out.close(), c.err.close()) }

// stream is one of the two: its files and its beginning.
type stream struct {
	mu     sync.Mutex
	files  []*os.File
	head   []byte // at most StreamLimit
	failed error
}

// openStream opens the two files; the beginning is what the second holds from an earlier run.
func openStream(whole, console string) (*stream, error) {
	s := &stream{}
	for _, path := range []string{whole, console} {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
		if err != nil {
			_ = s.close()
			return nil, err
		}
		s.files = append(s.files, f)
	}
	head, err := io.ReadAll(io.NewSectionReader(s.files[1], 0, StreamLimit))
	if err != nil {
		_ = s.close()
		return nil, err
	}
	s.head = head
	return s, nil
}

// Write keeps p; a file that cannot take it is given up.
func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if room := StreamLimit - len(s.head); room > 0 {
		s.head = append(s.head, p[:min(room, len(p))]...)
	}
	for i, f := range s.files {
		if f == nil {
			continue
		}
		if _, err := f.Write(p); err != nil {
			s.failed = errors.Join(s.failed, err, f.Close())
			s.files[i] = nil
		}
	}
	return len(p), nil
}

func (s *stream) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.head)
}

func (s *stream) lost() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

func (s *stream) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.failed
	for i, f := range s.files {
		if f != nil {
			err = errors.Join(err, f.Close())
			s.files[i] = nil
		}
	}
	return err
}
