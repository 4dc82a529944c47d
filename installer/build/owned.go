package build

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// owned is a folder that belongs to this process for as long as it lives: its name has the process id, and the process holds its lock.
// What a killed build leaves is so known, and removed by the next one.
type owned struct {
	dir  string
	lock *host.FolderLock
}

// newOwned makes a folder of a prefix, and removes those of the prefix that no process holds any more.
func newOwned(parent, prefix string) (o owned, err error) {
	sweep(parent, prefix, time.Now())
	if o.dir, err = os.MkdirTemp(parent, prefix+strconv.Itoa(os.Getpid())+"-"); err != nil {
		return o, err
	}
	o.lock, _, err = host.TryLock(o.dir)
	if errors.Is(err, errors.ErrUnsupported) { // a file system without locks: the process id must do
		err = nil
	}
	if err != nil {
		o.remove()
	}
	return o, err
}

func (o owned) remove() {
	if o.dir != "" {
		os.RemoveAll(o.dir)
	}
	if o.lock != nil {
		o.lock.Release()
	}
}

// Ages below which a folder stays that no process seems to hold: one is just being made, or is of a version without locks.
const (
	young     = time.Minute
	ownerless = 24 * time.Hour
)

// sweep removes what it may and leaves the rest; a leftover is no reason to build nothing.
func sweep(parent, prefix string, now time.Time) {
	found, _ := filepath.Glob(filepath.Join(parent, prefix+"*"))
	for _, dir := range found {
		info, err := os.Lstat(dir)
		if err != nil || !info.IsDir() || !host.TrustedOwner(dir, info) {
			continue
		}
		if abandoned(dir, prefix, info, now) {
			os.RemoveAll(dir)
		}
	}
}

func abandoned(dir, prefix string, info fs.FileInfo, now time.Time) bool {
	age := now.Sub(info.ModTime())
	word, _, ok := strings.Cut(strings.TrimPrefix(filepath.Base(dir), prefix), "-")
	pid, err := strconv.Atoi(word)
	if !ok || err != nil {
		return age > ownerless
	}
	if pid == os.Getpid() || host.Alive(pid) && age < young {
		return false
	}
	_, held, err := host.Holder(dir)
	return err == nil && !held
}
