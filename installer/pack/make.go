package pack

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"
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
	mode := fs.FileMode(0o644)
	if f.Name == setup.Name {
		mode = 0o755
	}
	if in.Embedded == nil {
		work, err := os.MkdirTemp("", "ssm-setup-carried-")
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
	sum := sha256.New()
	path, sign := filepath.Join(dir, a.File), in.Signing.inPlace(f, a.File)
	n, err := wholeThen(path, mode, func(w io.Writer) error {
		return f.write(io.MultiWriter(w, sum), in)
	}, sign)
	a.Size, a.SHA256 = n, hex.EncodeToString(sum.Sum(nil))
	if err == nil && sign != nil {
		a.SHA256, err = sumFile(path)
	}
	if err == nil && slices.Contains(detached, f.Name) {
		err = in.Signing.Beside(path)
	}
	a.Seconds = time.Since(began).Seconds()
	return a, err
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

// wholeThen writes a file beside its place, syncs it and renames it there, whatever the umask. then works on the complete file
// before it gets its name.
func wholeThen(path string, mode fs.FileMode, fill func(io.Writer) error, then func(path string) error) (size int64, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".making-")
	if err != nil {
		return 0, err
	}
	defer func() {
		f.Close()
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	buf := bufio.NewWriterSize(f, 1<<18)
	if err = fill(buf); err != nil {
		return 0, err
	}
	if err = buf.Flush(); err != nil {
		return 0, err
	}
	if then != nil {
		if err = then(f.Name()); err != nil {
			return 0, err
		}
	}
	if err = f.Chmod(mode); err != nil {
		return 0, err
	}
	if err = f.Sync(); err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if err = f.Close(); err != nil {
		return 0, err
	}
	return info.Size(), os.Rename(f.Name(), path)
}

func sumFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
