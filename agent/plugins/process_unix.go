//go:build unix

package plugins

import (
	"os"
	"os/exec"
	"syscall"
	"time"
)

const (
	rebootCode  = 194        // the script asks for a reboot
	stoppedCode = codeKilled // after a time limit or a cancel
)

// ownGroup makes the process the leader of a new group.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// killGroup ends the process and everything that stayed in its group.
func killGroup(cmd *exec.Cmd) {
	if syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) != nil {
		_ = cmd.Process.Kill()
	}
}

// exitCode is -1 after a signal. A shell between reports 128 and the signal's number instead.
func exitCode(s *os.ProcessState) int { return s.ExitCode() }

// pipeSize is the most bytes that Linux lets an ordinary account's pipe hold (/proc/sys/fs/pipe-max-size).
const pipeSize = 1 << 20

// nearEnd is our end of a pipe that a process writes into.
type nearEnd struct{ *os.File }

// openPipe makes a pipe; the process gets far.
func openPipe() (near *nearEnd, far *os.File, err error) {
	r, w, err := os.Pipe()
	return &nearEnd{r}, w, err
}

// interrupt ends a read, and those to come, at once.
func (n *nearEnd) interrupt() { _ = n.SetReadDeadline(time.Unix(1, 0)) } // a pipe has deadlines

// unread returns what lies in the pipe, without waiting for more. No read may be under way.
func (n *nearEnd) unread() (all []byte) {
	if n.SetReadDeadline(time.Time{}) != nil {
		return nil
	}
	raw, err := n.SyscallConn()
	if err != nil {
		return nil
	}
	buf := make([]byte, 64<<10)
	for len(all) < pipeSize {
		n := 0
		if raw.Read(func(fd uintptr) bool { n, err = syscall.Read(int(fd), buf); return true }) != nil || err != nil || n <= 0 {
			break
		}
		all = append(all, buf[:n]...)
	}
	return all
}
