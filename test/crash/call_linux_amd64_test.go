package crash_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// A call is a system call that a traced process is about to make.
type call struct {
	program string // launcher, agent, agent.new, updater; empty: of no interest
	name    string
	path    string // below the root, with what differs from run to run replaced; or pipe, socket
	size    uint64 // of a write
	disk    bool   // it is about a file
	create  bool   // it makes a name
}

// key is what a point is known by, without which time it is.
func (c call) key() string { return c.program + " " + c.name + " " + c.path }

// most is how often a call is a point: what an updater does, it does for a reason each time; agents and launchers repeat themselves, and
// so do the parts of a large file.
func (c call) most() int {
	switch {
	case strings.HasPrefix(c.path, "var/log/"), strings.HasSuffix(c.path, "/schedule"), strings.HasSuffix(c.path, "/pulse"):
		return 1
	case strings.Contains(c.path, "/download/"), strings.Contains(c.path, "/store/"), !c.disk, strings.HasPrefix(c.program, "agent"):
		return 2
	case c.program == "launcher":
		return 4
	}
	return 20
}

// A kind of call says where its path or descriptor is.
type kind struct {
	name   string
	folder int // argument that is the folder's descriptor, -1: none
	path   int // argument that is the path, -1: none
	file   int // argument that is the descriptor, -1: none
	size   int // argument that is the size of a write, -1: none
}

var kinds = map[uint64]kind{
	unix.SYS_OPENAT:            {"open", 0, 1, -1, -1},
	unix.SYS_OPEN:              {"open", -1, 0, -1, -1},
	unix.SYS_WRITE:             {"write", -1, -1, 0, 2},
	unix.SYS_PWRITE64:          {"pwrite", -1, -1, 0, 2},
	unix.SYS_WRITEV:            {"writev", -1, -1, 0, -1},
	unix.SYS_COPY_FILE_RANGE:   {"copy_file_range", -1, -1, 2, 4},
	unix.SYS_SENDFILE:          {"sendfile", -1, -1, 0, 3},
	unix.SYS_SPLICE:            {"splice", -1, -1, 2, 4},
	unix.SYS_FSYNC:             {"fsync", -1, -1, 0, -1},
	unix.SYS_FDATASYNC:         {"fsync", -1, -1, 0, -1},
	unix.SYS_FTRUNCATE:         {"truncate", -1, -1, 0, -1},
	unix.SYS_TRUNCATE:          {"truncate", -1, 0, -1, -1},
	unix.SYS_FALLOCATE:         {"fallocate", -1, -1, 0, -1},
	unix.SYS_FLOCK:             {"lock", -1, -1, 0, -1},
	unix.SYS_FCNTL:             {"lock", -1, -1, 0, -1},
	unix.SYS_RENAME:            {"rename", -1, 1, -1, -1},
	unix.SYS_RENAMEAT:          {"rename", 2, 3, -1, -1},
	unix.SYS_RENAMEAT2:         {"rename", 2, 3, -1, -1},
	unix.SYS_LINK:              {"link", -1, 1, -1, -1},
	unix.SYS_LINKAT:            {"link", 2, 3, -1, -1},
	unix.SYS_SYMLINK:           {"symlink", -1, 1, -1, -1},
	unix.SYS_SYMLINKAT:         {"symlink", 1, 2, -1, -1},
	unix.SYS_UNLINK:            {"unlink", -1, 0, -1, -1},
	unix.SYS_UNLINKAT:          {"unlink", 0, 1, -1, -1},
	unix.SYS_RMDIR:             {"unlink", -1, 0, -1, -1},
	unix.SYS_MKDIR:             {"mkdir", -1, 0, -1, -1},
	unix.SYS_MKDIRAT:           {"mkdir", 0, 1, -1, -1},
	unix.SYS_CHMOD:             {"chmod", -1, 0, -1, -1},
	unix.SYS_FCHMOD:            {"chmod", -1, -1, 0, -1},
	unix.SYS_FCHMODAT:          {"chmod", 0, 1, -1, -1},
	unix.SYS_CHOWN:             {"chown", -1, 0, -1, -1},
	unix.SYS_FCHOWN:            {"chown", -1, -1, 0, -1},
	unix.SYS_FCHOWNAT:          {"chown", 0, 1, -1, -1},
	unix.SYS_UTIMENSAT:         {"utimes", 0, 1, -1, -1},
	unix.SYS_EXECVE:            {"exec", -1, 0, -1, -1},
	unix.SYS_FORK:              {"fork", -1, -1, -1, -1},
	unix.SYS_VFORK:             {"fork", -1, -1, -1, -1},
	unix.SYS_CLONE:             {"fork", -1, -1, -1, -1},
	unix.SYS_CLONE3:            {"fork", -1, -1, -1, -1},
	unix.SYS_KILL:              {"kill", -1, -1, -1, -1},
	unix.SYS_PIDFD_SEND_SIGNAL: {"kill", -1, -1, -1, -1},
	unix.SYS_SOCKET:            {"socket", -1, -1, -1, -1},
	unix.SYS_CONNECT:           {"connect", -1, -1, 0, -1},
	unix.SYS_BIND:              {"bind", -1, -1, 0, -1},
	unix.SYS_LISTEN:            {"listen", -1, -1, 0, -1},
	unix.SYS_SENDTO:            {"send", -1, -1, 0, -1},
	unix.SYS_SENDMSG:           {"send", -1, -1, 0, -1},
	unix.SYS_PIPE2:             {"pipe", -1, -1, -1, -1},
	unix.SYS_MOUNT:             {"mount", -1, 1, -1, -1},
	unix.SYS_UMOUNT2:           {"umount", -1, 0, -1, -1},
}

// arguments are those of a call, in the order of the kernel.
func arguments(r *unix.PtraceRegs) [6]uint64 {
	return [6]uint64{r.Rdi, r.Rsi, r.Rdx, r.R10, r.R8, r.R9}
}

// read tells what a stopped thread is about to do. ok: it changes disk, processes or the network.
func (t *tracer) read(tid int, p *process, r *unix.PtraceRegs) (c call, ok bool) {
	k, known := kinds[r.Orig_rax]
	if !known {
		return c, false
	}
	a := arguments(r)
	c = call{program: p.program, name: k.name}
	if k.size >= 0 {
		c.size = a[k.size]
	}
	switch {
	case k.path >= 0:
		folder := unix.AT_FDCWD
		if k.folder >= 0 {
			folder = int(int32(a[k.folder]))
		}
		c.path = resolve(tid, folder, text(tid, a[k.path]))
		c.disk = k.name != "exec"
		c.create = slices.Contains([]string{"mkdir", "link", "symlink", "rename"}, k.name)
		if r.Orig_rax == unix.SYS_OPENAT {
			c.create = a[2]&unix.O_CREAT != 0
		}
	case k.file >= 0:
		c.path, _ = os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", tid, int32(a[k.file])))
		c.path = strings.TrimSuffix(c.path, " (deleted)")
		c.disk = strings.HasPrefix(c.path, "/")
		if c.path == "" {
			return c, false
		}
	}
	for _, none := range []string{"/proc/", "/dev/", "/sys/", "anon_inode:", "/memfd:"} {
		if strings.HasPrefix(c.path, none) {
			return c, false
		}
	}
	c.path = t.plain(c.path)
	return c, true
}

// resolve makes a path of a thread one from the top.
func resolve(tid, folder int, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	from := fmt.Sprintf("/proc/%d/cwd", tid)
	if folder != unix.AT_FDCWD {
		from = fmt.Sprintf("/proc/%d/fd/%d", tid, folder)
	}
	dir, _ := os.Readlink(from)
	return filepath.Join(dir, path)
}

// text reads a string of a stopped thread.
func text(tid int, at uint64) string {
	var got []byte
	for len(got) < 4096 {
		part := make([]byte, 4096-at%4096)
		n, err := unix.ProcessVMReadv(tid, []unix.Iovec{{Base: &part[0], Len: uint64(len(part))}},
			[]unix.RemoteIovec{{Base: uintptr(at), Len: len(part)}}, 0)
		if err != nil || n <= 0 {
			break
		}
		if i := slices.Index(part[:n], 0); i >= 0 {
			return string(append(got, part[:i]...))
		}
		got = append(got, part[:n]...)
		at += uint64(n)
	}
	return string(got)
}

// changing are the parts of paths that differ from run to run.
var changing = []struct {
	is *regexp.Regexp
	by string
}{
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "UUID"},
	{regexp.MustCompile(`mi-[0-9a-f]{17}`), "mi"},
	{regexp.MustCompile(`[0-9a-f]{32,}`), "HASH"},
	{regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2}T?[0-9-]*`), "DATE"},
	{regexp.MustCompile(`[0-9a-f]*[0-9][0-9a-f]{5,}`), "N"},
	{regexp.MustCompile(`[0-9]{3,}`), "N"},
	{regexp.MustCompile(`probation/[0-9]+`), "probation/N"},
	{regexp.MustCompile(`\[N\]`), ""},
	{regexp.MustCompile(`(pipe|socket):(\[[0-9]+\])?`), "$1"},
}

// plain takes the root and what changes out of a path.
func (t *tracer) plain(path string) string {
	path = strings.TrimPrefix(path, t.root+"/")
	for _, c := range changing {
		path = c.is.ReplaceAllString(path, c.by)
	}
	return strings.ReplaceAll(path, " ", "_")
}
