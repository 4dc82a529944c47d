package host

import (
	"bufio"
	"io"
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

// Bounds of what is printed.
const (
	printMost   = 64 << 10 // in bytes, within printPeriod
	printPeriod = time.Minute
	longestLine = 4 << 10 // in bytes; a longer one comes in pieces
)

// Prints bounds what other programs print, all of one reader together: 64 KiB a minute are handed on, and more is read and dropped. So
// no program waits for its reader, and none that prints without end fills a disk.
type Prints struct {
	Who  string            // prints, for the notes
	Take func(line string) // gets what is handed on
	Note func(text string) // gets what is said of what is dropped

	began   time.Time // of the period
	taken   int       // bytes in it
	dropped int       // bytes in it
}

// Read hands on what comes from near until no program prints there any more.
func (p *Prints) Read(near io.Reader) {
	lines := bufio.NewReaderSize(near, longestLine)
	for {
		line, err := lines.ReadSlice('\n')
		if len(line) > 0 {
			p.take(string(line), time.Now())
		} else if err != nil {
			return
		}
	}
}

// take hands a line on, or drops it where the period has had its share.
func (p *Prints) take(line string, now time.Time) {
	if now.Sub(p.began) >= printPeriod {
		if p.dropped > 0 {
			p.Note("dropped " + strconv.Itoa(p.dropped) + " bytes that " + p.Who + " printed within " + printPeriod.String())
		}
		p.began, p.taken, p.dropped = now, 0, 0
	}
	if p.taken+len(line) > printMost {
		if p.dropped == 0 {
			p.Note(p.Who + " prints too much: more than " + strconv.Itoa(printMost) + " bytes within " + printPeriod.String() + " are dropped")
		}
		p.taken = printMost // not the short lines of what is dropped, either
		p.dropped += len(line)
		return
	}
	p.taken += len(line)
	p.Take(line)
}
