package host

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Rolling says how a log is kept: appended to at Path, and put aside under a number when it is full. The folder must exist.
type Rolling struct {
	Path string
	Size int64 // in bytes, of a full one
	Keep int   // how many full ones are kept
	Mode fs.FileMode

	// Growing has each full file take a number that none had before. Otherwise the newest is .1 and the others move up.
	Growing bool
}

// Open opens the log for appending, after putting a full one aside. The file then grows without a limit until the next Open.
func (r Rolling) Open() (*os.File, error) {
	if info, err := os.Stat(r.Path); err == nil && info.Size() >= r.Size {
		r.roll()
	}
	return os.OpenFile(r.Path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, r.Mode)
}

// roll puts the full file aside and removes those beyond the limit. Where it fails, the file goes on growing.
func (r Rolling) roll() {
	if r.Growing {
		r.rollGrowing()
		return
	}
	for n := r.Keep - 1; n > 0; n-- {
		_ = replace(r.numbered(n), r.numbered(n+1))
	}
	_ = replace(r.Path, r.numbered(1))
}

func (r Rolling) rollGrowing() {
	numbers := r.numbers()
	newest := 0
	for _, n := range numbers {
		newest = max(newest, n)
	}
	_ = replace(r.Path, r.numbered(newest+1))
	for _, n := range numbers {
		if n <= newest+1-r.Keep {
			_ = os.Remove(r.numbered(n))
		}
	}
}

func (r Rolling) numbered(n int) string { return r.Path + "." + strconv.Itoa(n) }

// numbers are those of the files put aside.
func (r Rolling) numbers() []int {
	entries, _ := os.ReadDir(filepath.Dir(r.Path))
	var numbers []int
	for _, e := range entries {
		text, ok := strings.CutPrefix(e.Name(), filepath.Base(r.Path)+".")
		if n, err := strconv.Atoi(text); ok && err == nil {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// RollingFile is a log that is put aside while it is written to. It may be used by several goroutines.
type RollingFile struct {
	how Rolling

	mu    sync.Mutex
	file  *os.File
	grown int64
	retry time.Time // before it nothing is tried: the file could not be opened
}

// File is the log as a writer. Nothing is opened before the first line.
func (r Rolling) File() *RollingFile { return &RollingFile{how: r} }

// Write adds a line. A line never stands in two files, and one that cannot be written is lost: no caller waits for a log, or fails
// for one. After a failure to open the file the next try is a minute later.
func (f *RollingFile) Write(line []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file != nil && f.grown+int64(len(line)) > f.how.Size {
		f.file.Close()
		f.file = nil
		f.how.roll()
	}
	if f.file != nil || f.open() {
		n, _ := f.file.Write(line)
		f.grown += int64(n)
	}
	return len(line), nil
}

func (f *RollingFile) open() bool {
	if time.Now().Before(f.retry) {
		return false
	}
	file, err := os.OpenFile(f.how.Path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, f.how.Mode)
	if err != nil {
		f.retry = time.Now().Add(time.Minute)
		return false
	}
	f.file, f.grown = file, 0
	if info, err := file.Stat(); err == nil {
		f.grown = info.Size()
	}
	return true
}

// Close gives the file back. A line that comes later opens it again.
func (f *RollingFile) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}
