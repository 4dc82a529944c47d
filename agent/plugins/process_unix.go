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

// unread returns what lies in the pipe f, without waiting for more.
func unread(f *os.File) (all []byte) {
	if f.SetReadDeadline(time.Time{}) != nil {
		return nil
	}
	raw, err := f.SyscallConn()
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
