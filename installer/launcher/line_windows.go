package launcher

import (
	"strconv"
	"unsafe"

	"golang.org/x/sys/windows"
)

// line are one side's ends of the two pipes between launcher and agent.
type line struct{ stop, beat windows.Handle }

// newLine makes the two pipes. The agent's ends can be inherited, by a child that is given them by name.
func newLine() (near, far line, err error) {
	if err := windows.CreatePipe(&far.stop, &near.stop, nil, 0); err != nil {
		return near, far, err
	}
	if err := windows.CreatePipe(&near.beat, &far.beat, nil, 0); err != nil {
		windows.CloseHandle(near.stop)
		windows.CloseHandle(far.stop)
		return near, far, err
	}
	for _, h := range []windows.Handle{far.stop, far.beat} {
		if err := windows.SetHandleInformation(h, windows.HANDLE_FLAG_INHERIT, windows.HANDLE_FLAG_INHERIT); err != nil {
			near.Close()
			far.Close()
			return near, far, err
		}
	}
	return near, far, nil
}

// handles are what the agent inherits.
func (l line) handles() []uintptr { return []uintptr{uintptr(l.stop), uintptr(l.beat)} }

// variables tell the agent where its ends are.
func (l line) variables() []string {
	number := func(h windows.Handle) string { return strconv.FormatUint(uint64(h), 10) }
	return []string{stopVariable + "=" + number(l.stop), beatVariable + "=" + number(l.beat)}
}

// Heard empties the beat pipe and reports whether there was a beat. It asks first: a read could block.
func (l line) Heard() bool {
	var buf [64]byte
	heard := false
	for {
		var waiting, n uint32
		if peekNamedPipe(l.beat, &waiting) != nil || waiting == 0 {
			return heard
		}
		if windows.ReadFile(l.beat, buf[:], &n, nil) != nil || n == 0 {
			return heard
		}
		heard = true
	}
}

// askToLeave: the pipe has room for the one byte that is ever written.
func (l line) AskToLeave() {
	var n uint32
	_ = windows.WriteFile(l.stop, []byte{'s'}, &n, nil)
}

func (l line) Close() {
	windows.CloseHandle(l.stop)
	windows.CloseHandle(l.beat)
}

// peekNamedPipe tells how many bytes can be read at once.
func peekNamedPipe(h windows.Handle, waiting *uint32) error {
	peek := windows.NewLazySystemDLL("kernel32.dll").NewProc("PeekNamedPipe")
	ok, _, err := peek.Call(uintptr(h), 0, 0, 0, uintptr(unsafe.Pointer(waiting)), 0)
	if ok == 0 {
		return err
	}
	return nil
}
