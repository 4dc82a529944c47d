package main

import (
	"fmt"
	"os"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/publish"
)

// hold makes a folder and keeps its lock, so that two runs do not write at the same place; busy is what the second is told. The
// folder goes with the lock, and a run that died holds nothing. Where there can be no lock, runs must keep apart themselves: whoever
// may not write there, or finds no room, is told so by what he came for.
func hold(dir string, busy error) (release func(), err error) {
	if publish.MakeFolder(dir) != nil {
		return func() {}, nil
	}
	lock, holder, err := host.TryLock(dir)
	if err == nil && lock == nil {
		return func() {}, fmt.Errorf("%w: process %d", busy, holder)
	}
	return func() {
		lock.Release()
		os.RemoveAll(dir)
	}, nil
}
