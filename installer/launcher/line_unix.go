//go:build unix

package launcher

import "syscall"

// line are one side's ends of the two pipes between launcher and agent.
type line struct{ stop, beat int }

// newLine makes the two pipes. All ends are non-blocking and close-on-exec.
func newLine() (near, far line, err error) {
	var stop, beat [2]int
	if err := pipe(&stop); err != nil {
		return near, far, err
	}
	if err := pipe(&beat); err != nil {
		syscall.Close(stop[0])
		syscall.Close(stop[1])
		return near, far, err
	}
	return line{stop[1], beat[0]}, line{stop[0], beat[1]}, nil
}

func pipe(ends *[2]int) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := syscall.Pipe(ends[:]); err != nil {
		return err
	}
	for _, fd := range ends {
		syscall.CloseOnExec(fd)
		_ = syscall.SetNonblock(fd, true)
	}
	return nil
}

// handles are what the agent inherits, as descriptors from 3 on.
func (l line) handles() []uintptr { return []uintptr{uintptr(l.stop), uintptr(l.beat)} }

// variables tell the agent where its ends are; here their numbers are fixed.
func (line) variables() []string { return nil }

// Heard empties the beat pipe and reports whether there was a beat.
func (l line) Heard() bool {
	var buf [64]byte
	heard := false
	for {
		n, err := syscall.Read(l.beat, buf[:])
		if n > 0 {
			heard = true
		}
		if err == syscall.EINTR {
			continue
		}
		if n < len(buf) {
			return heard
		}
	}
}

func (l line) AskToLeave() { _, _ = syscall.Write(l.stop, []byte{'s'}) }

func (l line) Close() {
	syscall.Close(l.stop)
	syscall.Close(l.beat)
}
