package plugins

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"unsafe"

	system "golang.org/x/sys/windows"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

const (
	rebootCode  = 3010 // the script asks for a reboot
	stoppedCode = -1   // after a time limit or a cancel
)

// ownGroup: Windows has no groups to kill; descendants are looked for when it comes to that.
func ownGroup(*exec.Cmd) {}

// killGroup ends the process and its descendants.
func killGroup(cmd *exec.Cmd) {
	if host.KillGroup(cmd.Process.Pid) != nil {
		_ = cmd.Process.Kill()
	}
}

func exitCode(s *os.ProcessState) int { return s.ExitCode() }

// pipeSize is how many bytes a pipe holds.
const pipeSize = 64 << 10

// nearEnd is our end of a pipe that a process writes into. A read of an ordinary pipe cannot be ended here, so this is a named one, read
// with overlapped input, that only this account and the administrators may write to.
type nearEnd struct {
	pipe             system.Handle
	arrived, stopped system.Handle // events
	reading          system.Overlapped
	buf              [32 << 10]byte // with reading on the heap: the system writes to them while no function here runs
	close            sync.Once
}

// openPipe makes a pipe; the process gets far.
func openPipe() (near *nearEnd, far *os.File, err error) {
	name, err := system.UTF16PtrFromString(`\\.\pipe\ssm-setup-` + host.NewUUID())
	if err != nil {
		return nil, nil, err
	}
	n := &nearEnd{}
	n.pipe, err = system.CreateNamedPipe(name, system.PIPE_ACCESS_INBOUND|system.FILE_FLAG_OVERLAPPED|
		system.FILE_FLAG_FIRST_PIPE_INSTANCE, system.PIPE_TYPE_BYTE|system.PIPE_REJECT_REMOTE_CLIENTS, 1, 0, pipeSize, 0, nil)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			_ = n.Close()
		}
	}()
	if n.arrived, err = system.CreateEvent(nil, 1, 0, nil); err != nil {
		return nil, nil, err
	}
	if n.stopped, err = system.CreateEvent(nil, 1, 0, nil); err != nil {
		return nil, nil, err
	}
	h, err := system.CreateFile(name, system.GENERIC_WRITE, 0, nil, system.OPEN_EXISTING, 0, 0)
	if err != nil {
		return nil, nil, err
	}
	return n, os.NewFile(uintptr(h), "pipe"), nil
}

// Read waits for bytes, until [nearEnd.interrupt].
func (n *nearEnd) Read(b []byte) (int, error) {
	if event, err := system.WaitForSingleObject(n.stopped, 0); err != nil || event == system.WAIT_OBJECT_0 {
		return 0, errors.Join(err, os.ErrDeadlineExceeded)
	}
	return n.read(b)
}

func (n *nearEnd) read(b []byte) (int, error) {
	var got uint32
	n.reading = system.Overlapped{HEvent: n.arrived}
	err := system.ReadFile(n.pipe, n.buf[:min(len(b), len(n.buf))], &got, &n.reading)
	if errors.Is(err, system.ERROR_IO_PENDING) {
		_, _ = system.WaitForMultipleObjects([]system.Handle{n.arrived, n.stopped}, false, system.INFINITE)
		if event, err := system.WaitForSingleObject(n.arrived, 0); err != nil || event != system.WAIT_OBJECT_0 {
			_ = system.CancelIoEx(n.pipe, &n.reading) // it has ended: then its result counts
		}
		err = system.GetOverlappedResult(n.pipe, &n.reading, &got, true)
		if err != nil {
			return 0, ended(err)
		}
	} else if err != nil {
		return 0, ended(err)
	}
	return copy(b, n.buf[:got]), nil
}

func ended(err error) error {
	if errors.Is(err, system.ERROR_BROKEN_PIPE) {
		return io.EOF
	}
	return err
}

// interrupt ends a read, and those to come, at once.
func (n *nearEnd) interrupt() { _ = system.SetEvent(n.stopped) }

// unread returns what lies in the pipe, without waiting for more. No read may be under way.
func (n *nearEnd) unread() (all []byte) {
	var lies uint32
	peek := system.NewLazySystemDLL("kernel32.dll").NewProc("PeekNamedPipe")
	if ok, _, _ := peek.Call(uintptr(n.pipe), 0, 0, 0, uintptr(unsafe.Pointer(&lies)), 0); ok == 0 {
		return nil
	}
	for buf := make([]byte, len(n.buf)); len(all) < int(lies); {
		got, err := n.read(buf[:min(len(buf), int(lies)-len(all))])
		all = append(all, buf[:got]...)
		if err != nil || got == 0 {
			break
		}
	}
	return all
}

// Close gives the pipe up. No read may be under way.
func (n *nearEnd) Close() (err error) {
	n.close.Do(func() {
		for _, h := range []system.Handle{n.pipe, n.arrived, n.stopped} {
			if h != 0 {
				err = errors.Join(err, system.CloseHandle(h))
			}
		}
	})
	return err
}
