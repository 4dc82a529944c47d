package pack

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// Artifact is one file that was made.
type Artifact struct {
	Platform string  `json:"platform"`
	Format   string  `json:"format"`
	File     string  `json:"file"` // name in the version's folder
	Size     int64   `json:"bytes"`
	SHA256   string  `json:"sha256"` // hex
	Seconds  float64 `json:"seconds"`
}

// Make writes one artifact into a folder, whole or not at all.
func Make(f Format, in Input, dir string) (Artifact, error) {
	began := time.Now()
	a := Artifact{Platform: in.Platform.String(), Format: f.Name, File: f.File(in.Platform)}
	if a.File == "" {
		return a, fmt.Errorf("no %s is made for %s", f.Name, in.Platform)
	}
	if in.Embedded == nil {
		work, err := os.MkdirTemp("", "ssm-setup-embedded-")
		if err != nil {
			return a, err
		}
		defer os.RemoveAll(work)
		in.Embedded = func(inner Format) (string, error) {
			made, err := Make(inner, in, work)
			return filepath.Join(work, made.File), err
		}
	}
	in.progress = newProgress(f, in)
	inner := in.Embedded
	in.Embedded = func(f Format) (string, error) {
		in.progress.total.Store(0) // a finished package is added to the programs, or stands for them
		return inner(f)
	}
	err := a.write(f, in, filepath.Join(dir, a.File))
	a.Seconds = time.Since(began).Seconds()
	return a, err
}

// write makes the file and its signatures, and fills in size and hash.
func (a *Artifact) write(f Format, in Input, path string) error {
	out, err := host.Create(path, cmp.Or(f.Mode, 0o644))
	if err != nil {
		return err
	}
	defer out.Discard()
	buf := bufio.NewWriterSize(out, 1<<18)
	if err := errors.Join(f.write(buf, in), buf.Flush()); err != nil {
		return err
	}
	if finish := in.Signing.finisher(f); finish != nil {
		if err := finish(out.Name()); err != nil {
			return err
		}
	}
	info, err := os.Stat(out.Name())
	if err != nil {
		return err
	}
	if a.SHA256, err = host.SHA256File(out.Name()); err != nil {
		return err
	}
	a.Size = info.Size()
	if err := out.Place(); err != nil {
		return err
	}
	if f.Signed.Content.Check != nil { // it is a package: its signature can be checked without knowing its format
		return in.Signing.Beside(path)
	}
	return nil
}

// progress counts the bytes of programs, and of finished packages, that went into an artifact.
type progress struct {
	total, done atomic.Int64
	tell        func(done, total int64)
}

func newProgress(f Format, in Input) *progress {
	t := &progress{tell: in.Progress}
	for _, name := range f.Programs {
		if info, err := os.Stat(filepath.Join(in.Bin, in.Platform.Executable(name))); err == nil {
			t.total.Add(info.Size())
		}
	}
	return t
}

func (t *progress) Write(p []byte) (int, error) {
	if done := t.done.Add(int64(len(p))); t.tell != nil {
		t.tell(done, t.total.Load())
	}
	return len(p), nil
}

// open opens a program, or a finished package; what is read of it counts.
func (in Input) open(path string) (io.ReadCloser, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return struct {
		io.Reader
		io.Closer
	}{io.TeeReader(f, in.progress), f}, info.Size(), nil
}
