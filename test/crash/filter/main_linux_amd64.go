// Command filter runs a program so that a tracer sees the system calls that change disk, processes or network, and no others: with a
// filter of the kernel that the program and all that it starts keep. Without a tracer those calls fail.
package main

import (
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: filter PROGRAM [ARGUMENT…]")
		os.Exit(2)
	}
	runtime.LockOSThread() // the filter is this thread's, which becomes the program
	code := program()
	prog := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	if err == nil {
		err = unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&prog)), 0, 0)
	}
	if err == nil {
		err = unix.Exec(os.Args[1], os.Args[1:], os.Environ())
	}
	fmt.Fprintf(os.Stderr, "error: cannot trace %s: %v\n", os.Args[1], err)
	os.Exit(1)
}

// Offsets in what the kernel shows a filter.
const (
	offsetNumber = 0
	offsetArgs   = 16
)

// A look is at an argument of a call: a mask of which a bit has to be set, or values of which it has to be one.
type look struct {
	argument uint32
	mask     uint32 // 0: by values
	none     bool   // no bit of the mask may be set
	values   []uint32
}

// The calls that are seen, by number; nil: always.
var seen = []struct {
	number uint32
	look   *look
}{
	{unix.SYS_OPENAT, &look{argument: 2, mask: unix.O_WRONLY | unix.O_RDWR | unix.O_CREAT | unix.O_TRUNC}},
	{unix.SYS_OPEN, &look{argument: 1, mask: unix.O_WRONLY | unix.O_RDWR | unix.O_CREAT | unix.O_TRUNC}},
	{unix.SYS_CLONE, &look{argument: 0, mask: unix.CLONE_THREAD, none: true}},
	{unix.SYS_FCNTL, &look{argument: 1, values: []uint32{unix.F_SETLK, unix.F_SETLKW, unix.F_OFD_SETLK, unix.F_OFD_SETLKW}}},
	{unix.SYS_WRITE, nil}, {unix.SYS_PWRITE64, nil}, {unix.SYS_WRITEV, nil}, {unix.SYS_COPY_FILE_RANGE, nil}, {unix.SYS_SENDFILE, nil},
	{unix.SYS_SPLICE, nil}, {unix.SYS_FSYNC, nil}, {unix.SYS_FDATASYNC, nil}, {unix.SYS_FTRUNCATE, nil}, {unix.SYS_TRUNCATE, nil},
	{unix.SYS_FALLOCATE, nil}, {unix.SYS_FLOCK, nil},
	{unix.SYS_RENAME, nil}, {unix.SYS_RENAMEAT, nil}, {unix.SYS_RENAMEAT2, nil}, {unix.SYS_LINK, nil}, {unix.SYS_LINKAT, nil},
	{unix.SYS_SYMLINK, nil}, {unix.SYS_SYMLINKAT, nil}, {unix.SYS_UNLINK, nil}, {unix.SYS_UNLINKAT, nil}, {unix.SYS_RMDIR, nil},
	{unix.SYS_MKDIR, nil}, {unix.SYS_MKDIRAT, nil}, {unix.SYS_CHMOD, nil}, {unix.SYS_FCHMOD, nil}, {unix.SYS_FCHMODAT, nil},
	{unix.SYS_CHOWN, nil}, {unix.SYS_FCHOWN, nil}, {unix.SYS_FCHOWNAT, nil}, {unix.SYS_UTIMENSAT, nil},
	{unix.SYS_EXECVE, nil}, {unix.SYS_FORK, nil}, {unix.SYS_VFORK, nil}, {unix.SYS_CLONE3, nil}, {unix.SYS_KILL, nil},
	{unix.SYS_PIDFD_SEND_SIGNAL, nil}, {unix.SYS_SOCKET, nil}, {unix.SYS_CONNECT, nil}, {unix.SYS_BIND, nil}, {unix.SYS_LISTEN, nil},
	{unix.SYS_SENDTO, nil}, {unix.SYS_SENDMSG, nil}, {unix.SYS_PIPE2, nil}, {unix.SYS_MOUNT, nil}, {unix.SYS_UMOUNT2, nil},
}

// program is the filter: one group of instructions for each call, then "allow".
func program() []unix.SockFilter {
	const (
		load  = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		bits  = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
		give  = unix.BPF_RET | unix.BPF_K
	)
	allow := unix.SockFilter{Code: give, K: unix.SECCOMP_RET_ALLOW}
	trace := unix.SockFilter{Code: give, K: unix.SECCOMP_RET_TRACE}
	code := []unix.SockFilter{{Code: load, K: offsetNumber}}
	for _, s := range seen {
		if s.look == nil {
			code = append(code, unix.SockFilter{Code: equal, Jf: 1, K: s.number}, trace)
			continue
		}
		var body []unix.SockFilter
		switch l := s.look; {
		case l.mask != 0 && l.none:
			body = []unix.SockFilter{{Code: bits, Jf: 1, K: l.mask}, allow, trace}
		case l.mask != 0:
			body = []unix.SockFilter{{Code: bits, Jf: 1, K: l.mask}, trace, allow}
		default:
			for _, v := range l.values {
				body = append(body, unix.SockFilter{Code: equal, Jf: 1, K: v}, trace)
			}
			body = append(body, allow)
		}
		body = append([]unix.SockFilter{{Code: load, K: offsetArgs + 8*s.look.argument}}, body...)
		code = append(code, unix.SockFilter{Code: equal, Jf: uint8(len(body)), K: s.number})
		code = append(code, body...)
	}
	return append(code, allow)
}
