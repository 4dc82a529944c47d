package crash_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A tracer follows all processes of one root, sees the calls that the filter shows, writes them down, and spoils some. Every program
// that the test starts under the root has a thread of its own that follows it and what it starts, for that is how the kernel has it.
type tracer struct {
	root, filter string

	mu     sync.Mutex
	armed  bool
	seen   map[string]int // times a call was seen since it was armed
	calls  []call         // in order; each once or more
	faults []*fault
	first  time.Time // when the first fault happened
	live   map[int]*process
}

// A process of a root.
type process struct {
	pid     int
	program string
}

// arm has calls counted from now on, and faults happen.
func (t *tracer) arm(faults []*fault) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.armed, t.seen, t.calls, t.faults = true, map[string]int{}, nil, faults
	t.first = time.Time{}
	for _, f := range faults {
		f.fired = false
	}
}

// firedAt is when the first fault happened; zero: not yet.
func (t *tracer) firedAt() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.first
}

// disarm ends all faults and counting.
func (t *tracer) disarm() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.armed = false
}

// running are the processes that live, as program and id.
func (t *tracer) running() (list []process) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.live {
		list = append(list, *p)
	}
	return list
}

// kill ends processes that are one of these.
func (t *tracer) kill(one func(process) bool) {
	for _, p := range t.running() {
		if one(p) {
			_ = syscall.Kill(p.pid, syscall.SIGKILL)
		}
	}
}

// start runs a program and follows it. The channel says how it ended.
func (t *tracer) start(env []string, out *os.File, argv ...string) (ended <-chan syscall.WaitStatus, err error) {
	end, begun := make(chan syscall.WaitStatus, 1), make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this function
		t.follow(env, out, argv, begun, end)
	}()
	return end, <-begun
}

// follow is the life of a thread that traces.
func (t *tracer) follow(env []string, out *os.File, argv []string, begun chan<- error, end chan<- syscall.WaitStatus) {
	pid, err := t.begin(env, out, argv)
	begun <- err
	if err != nil {
		return
	}
	threads := map[int]*process{pid: t.enter(pid, "")}
	leaving := map[int]*fault{} // threads in a call after which a fault is due
	_ = unix.PtraceCont(pid, 0)
	for {
		var ws syscall.WaitStatus
		tid, err := syscall.Wait4(-1, &ws, unix.WALL|unix.WNOTHREAD, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return
		}
		if ws.Exited() || ws.Signaled() {
			if p := threads[tid]; p != nil && p.pid == tid {
				t.leave(p)
			}
			delete(threads, tid)
			delete(leaving, tid)
			if tid == pid {
				end <- ws
			}
			continue
		}
		p, known := threads[tid]
		if !known {
			p = t.adopt(tid)
			threads[tid] = p
		}
		t.stopped(tid, p, ws, !known, leaving)
	}
}

// begin starts a program that is stopped before its first instruction.
func (t *tracer) begin(env []string, out *os.File, argv []string) (int, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	pid, err := syscall.ForkExec(t.filter, append([]string{t.filter}, argv...), &syscall.ProcAttr{Dir: "/", Env: env,
		Files: []uintptr{null.Fd(), out.Fd(), out.Fd()}, Sys: &syscall.SysProcAttr{Setsid: true, Ptrace: true}})
	if err != nil {
		return 0, err
	}
	var ws syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &ws, 0, nil); err != nil || !ws.Stopped() {
		return 0, fmt.Errorf("start %s: %w", argv[0], errors.Join(err, errors.New("it is not stopped")))
	}
	return pid, unix.PtraceSetOptions(pid, unix.PTRACE_O_TRACESECCOMP|unix.PTRACE_O_TRACECLONE|unix.PTRACE_O_TRACEFORK|
		unix.PTRACE_O_TRACEVFORK|unix.PTRACE_O_TRACEEXEC|unix.PTRACE_O_TRACESYSGOOD|unix.PTRACE_O_EXITKILL)
}

// enter notes a process.
func (t *tracer) enter(pid int, program string) *process {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := &process{pid, program}
	t.live[pid] = p
	return p
}

func (t *tracer) leave(p *process) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.live[p.pid] == p {
		delete(t.live, p.pid)
	}
}

// adopt finds the process of a thread that is new. A process that runs no program of its own yet counts as what its parent is.
func (t *tracer) adopt(tid int) *process {
	pid, parent := tid, 0
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", tid))
	for line := range bytes.Lines(status) {
		if n, ok := bytes.CutPrefix(line, []byte("Tgid:")); ok {
			pid, _ = strconv.Atoi(string(bytes.TrimSpace(n)))
		}
		if n, ok := bytes.CutPrefix(line, []byte("PPid:")); ok {
			parent, _ = strconv.Atoi(string(bytes.TrimSpace(n)))
		}
	}
	t.mu.Lock()
	p, program := t.live[pid], ""
	if q := t.live[parent]; q != nil {
		program = q.program
	}
	t.mu.Unlock()
	if p == nil {
		p = t.enter(pid, program)
	}
	return p
}

// stopped deals with one stop of a thread and lets it go on.
func (t *tracer) stopped(tid int, p *process, ws syscall.WaitStatus, fresh bool, leaving map[int]*fault) {
	signal := ws.StopSignal()
	due := leaving[tid]
	switch {
	case signal == syscall.SIGTRAP|0x80, due != nil && signal == syscall.SIGTRAP && ws.TrapCause() == unix.PTRACE_EVENT_EXEC:
		if delete(leaving, tid); due != nil {
			_ = syscall.Kill(p.pid, syscall.SIGKILL)
			return
		}
	case signal == syscall.SIGTRAP && ws.TrapCause() == unix.PTRACE_EVENT_SECCOMP:
		switch f := t.meet(tid, p); {
		case f == nil:
		case f.how == "before":
			_ = syscall.Kill(p.pid, syscall.SIGKILL)
			return
		case f.how == "after", f.how == "torn":
			leaving[tid] = f
			_ = unix.PtraceSyscall(tid, 0)
			return
		}
	case signal == syscall.SIGTRAP && ws.TrapCause() == unix.PTRACE_EVENT_EXEC:
		t.mu.Lock()
		p.program = t.programOf(p.pid)
		t.mu.Unlock()
	case signal == syscall.SIGTRAP && ws.TrapCause() > 0:
		if due != nil {
			_ = unix.PtraceSyscall(tid, 0)
			return
		}
	case fresh && signal == syscall.SIGSTOP:
	default:
		if due != nil {
			_ = syscall.PtraceSyscall(tid, int(signal))
			return
		}
		_ = unix.PtraceCont(tid, int(signal))
		return
	}
	_ = unix.PtraceCont(tid, 0)
}

// asker is ssm-setup, which waits for an answer: no point is made of what it does.
const asker = "asker"

// programOf names the program that a process runs.
func (t *tracer) programOf(pid int) string {
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	argv := strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00")
	if err == nil && filepath.Base(exe) == "ssm-setup" {
		return asker
	}
	if err != nil || !strings.HasPrefix(exe, t.root+"/") {
		return ""
	}
	switch base := filepath.Base(exe); {
	case base == "amazon-ssm-agent" && slices.Contains(argv, "service"):
		return "launcher"
	case base != "ssm-agent-worker":
		return ""
	case filepath.Base(argv[0]) == "updater", len(argv) > 1 && argv[1] == "updater":
		return "updater"
	case len(argv) > 1 && argv[1] != "agent":
		return ""
	case filepath.Base(argv[0]) != "ssm-agent-worker" && filepath.Base(argv[0]) != "agent":
		return ""
	case strings.Contains(exe, "/store/"+soundVersion+"/"), strings.Contains(exe, "/store/"+brokenVersion+"/"):
		return "agent.new"
	}
	return "agent"
}

// meet counts a call, and says which fault is due. Errors are put in place here.
func (t *tracer) meet(tid int, p *process) *fault {
	t.mu.Lock()
	armed, program := t.armed, p.program
	t.mu.Unlock()
	var r unix.PtraceRegs
	if !armed || program == "" || program == asker || unix.PtraceGetRegs(tid, &r) != nil {
		return nil
	}
	c, ok := t.read(tid, p, &r)
	if !ok {
		return nil
	}
	f := t.due(c)
	if f == nil {
		return nil
	}
	switch {
	case f.errno != 0:
		r.Orig_rax, r.Rax = ^uint64(0), uint64(-int64(f.errno))
		_ = unix.PtraceSetRegs(tid, &r)
	case f.how == "torn":
		half := c.size / 2
		if r.Orig_rax == unix.SYS_WRITE || r.Orig_rax == unix.SYS_PWRITE64 {
			r.Rdx = half
		} else if r.Orig_rax == unix.SYS_SENDFILE {
			r.R10 = half
		} else {
			r.R8 = half
		}
		_ = unix.PtraceSetRegs(tid, &r)
	}
	return f
}

// due notes a call and finds its fault.
func (t *tracer) due(c call) *fault {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.armed {
		return nil
	}
	key := c.key()
	t.seen[key]++
	t.calls = append(t.calls, c)
	for _, f := range t.faults {
		switch {
		case !f.fired && f.key == key && f.nth == t.seen[key], f.fired && f.ever && f.hits(c):
			if !f.fired && t.first.IsZero() {
				t.first = time.Now()
			}
			f.fired = true
			return f
		}
	}
	return nil
}
