package logfile

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// rolled is a file that makes way when it grows too large: it gets a number that only grows.
type rolled struct {
	path  string
	size  int64
	rolls int

	mu    sync.Mutex
	file  *os.File
	grown int64
	retry time.Time
}

func (r *rolled) write(line []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file != nil && r.grown+int64(len(line)) > r.size {
		r.file.Close()
		r.file = nil
		r.roll()
	}
	if r.file == nil && !r.open() {
		return
	}
	n, _ := r.file.Write(line)
	r.grown += int64(n)
}

func (r *rolled) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file != nil {
		r.file.Close()
		r.file = nil
	}
}

// open waits a minute after a failure.
func (r *rolled) open() bool {
	if time.Now().Before(r.retry) {
		return false
	}
	f, err := os.OpenFile(r.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		r.retry = time.Now().Add(time.Minute)
		return false
	}
	r.file, r.grown = f, 0
	if info, err := f.Stat(); err == nil {
		r.grown = info.Size()
	}
	return true
}

// roll renames the full file and removes the oldest beyond the limit.
func (r *rolled) roll() {
	var numbers []int
	names, _ := filepath.Glob(r.path + ".*")
	for _, name := range names {
		if n, err := strconv.Atoi(strings.TrimPrefix(name, r.path+".")); err == nil {
			numbers = append(numbers, n)
		}
	}
	newest := 0
	for _, n := range numbers {
		newest = max(newest, n)
	}
	os.Rename(r.path, r.path+"."+strconv.Itoa(newest+1))
	for _, n := range numbers {
		if n <= newest+1-r.rolls {
			os.Remove(r.path + "." + strconv.Itoa(n))
		}
	}
}
