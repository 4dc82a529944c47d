package main

import (
	"errors"
	"os"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
)

// awaitEnd waits for what runs from the installation's two programs: a service counts as stopped a moment before its process is
// gone, and until then Windows replaces no file of it. What goes on for longer (a document at work) is not waited for.
func awaitEnd(l installer.Layout) error {
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		busy, err := running(l)
		if err != nil || !busy || time.Now().After(end) {
			return err
		}
	}
}

func running(l installer.Layout) (bool, error) {
	list, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPPROCESS, 0)
	if err != nil {
		return false, err
	}
	defer windows.CloseHandle(list)
	entry := windows.ProcessEntry32{}
	entry.Size = uint32(unsafe.Sizeof(entry))
	for err = windows.Process32First(list, &entry); err == nil; err = windows.Process32Next(list, &entry) {
		pid := int(entry.ProcessID)
		if pid == os.Getpid() {
			continue
		}
		program, fault := host.ProcessExecutable(pid)
		if fault == nil && (strings.EqualFold(program, l.Launcher()) || strings.EqualFold(program, l.Worker())) {
			return true, nil
		}
	}
	if errors.Is(err, windows.ERROR_NO_MORE_FILES) {
		err = nil
	}
	return false, err
}
