package launcher

import (
	"errors"
	"io"
	"unsafe"

	"golang.org/x/sys/windows"
)

// foreign reports whether a process runs a program that is not of ours. Its file may have got another name since, and ours its own:
// the program in its memory is looked at. One that cannot be looked at (of another word size, say) counts as ours.
func foreign(pid int) bool {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_INFORMATION|windows.PROCESS_VM_READ, false, uint32(pid))
	if err != nil {
		return false
	}
	defer windows.CloseHandle(h)
	var program windows.Handle // the first module
	var n uint32
	if windows.EnumProcessModules(h, &program, uint32(unsafe.Sizeof(program)), &n) != nil {
		return false
	}
	var info windows.ModuleInfo
	if windows.GetModuleInformation(h, program, &info, uint32(unsafe.Sizeof(info))) != nil {
		return false
	}
	ours, err := marked(&memory{process: h, at: info.BaseOfDll, left: uintptr(info.SizeOfImage)})
	return err == nil && !ours
}

// memory reads what a process has in its memory.
type memory struct {
	process  windows.Handle
	at, left uintptr
}

// Read reads a page without access as zeros.
func (m *memory) Read(p []byte) (int, error) {
	const page = 4096
	if m.left == 0 {
		return 0, io.EOF
	}
	n := min(uintptr(len(p)), m.left)
	err := m.read(p[:n])
	if closed(err) {
		n = min(n, page-m.at%page)
		if err = m.read(p[:n]); closed(err) {
			clear(p[:n])
			err = nil
		}
	}
	if err != nil {
		return 0, err
	}
	m.at, m.left = m.at+n, m.left-n
	return int(n), nil
}

func (m *memory) read(p []byte) error {
	var n uintptr
	return windows.ReadProcessMemory(m.process, m.at, &p[0], uintptr(len(p)), &n)
}

func closed(err error) bool {
	return errors.Is(err, windows.ERROR_PARTIAL_COPY) || errors.Is(err, windows.ERROR_NOACCESS)
}
