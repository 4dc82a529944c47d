package publish

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// ErrMirroring says that two mirrors would write into each other's unfinished files.
var ErrMirroring = fault.New(fault.Busy, "another run mirrors this region there", "")

// unfinished is the folder in a mirror with what a run that broke off had fetched.
const unfinished = ".unfinished"

// Unfinished is the folder of a mirror for what is not complete yet, of one region: [Options.Scratch].
func Unfinished(to, region string) string { return filepath.Join(to, unfinished, region) }

// LockFolder keeps other publications from writing to a folder; [ErrChanged] says that one is at work. Buckets have conditions for
// that, which two programs on a disk can only nearly keep.
func LockFolder(folder string) (release func(), err error) {
	made := !exists(folder)
	unlock, err := lock(filepath.Join(folder, ".publishing.lock"), target.ErrChanged)
	return func() {
		unlock()
		if made {
			os.Remove(folder) // if nothing came into it
		}
	}, err
}

// LockMirror keeps other runs away from what this one fetches of a region; [ErrMirroring] says that one is at work.
func LockMirror(to, region string) (release func(), err error) {
	top, made := filepath.Join(to, unfinished), !exists(to)
	unlock, err := lock(Unfinished(to, region)+".lock", ErrMirroring)
	return func() {
		unlock()
		os.Remove(top) // if nothing else is in it
		if made {
			os.Remove(to)
		}
	}, err
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// lock makes a folder and keeps its lock; busy is what the second run is told. The folder goes with the lock, and a run that died holds
// nothing. Where the folder cannot be made there is no lock: the run fails at what it wants to write there.
func lock(dir string, busy error) (release func(), err error) {
	if target.MakeFolder(dir) != nil {
		return func() {}, nil
	}
	held, holder, err := host.TryLock(dir)
	if err == nil && held == nil {
		return func() {}, fmt.Errorf("%w: process %d", busy, holder)
	}
	return func() {
		held.Release()
		os.RemoveAll(dir)
	}, nil
}
