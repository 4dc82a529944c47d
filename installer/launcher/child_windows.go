package launcher

import (
	"os"
	"strconv"

	"golang.org/x/sys/windows"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// Attach is the agent's first act: it takes the agent lock, keeps the two handles from its own children and removes the
// variables. False means that no launcher started this process.
func Attach() (*Child, bool) {
	text := os.Getenv(StartVariable)
	stop, beat := inherited(stopVariable), inherited(beatVariable)
	for _, name := range []string{StartVariable, stopVariable, beatVariable} {
		os.Unsetenv(name)
	}
	sequence, err := strconv.ParseUint(text, 10, 64)
	if err != nil || stop == 0 || beat == 0 {
		return nil, false
	}
	c := &Child{sequence: sequence, stop: make(chan struct{}), beat: newBeats(os.NewFile(beat, "beat"))}
	c.takeLock()
	go c.listen(os.NewFile(stop, "stop"))
	c.hearLeave()
	return c, true
}

// inherited is the pipe whose handle a variable names; 0 if it names none.
func inherited(name string) uintptr {
	n, err := strconv.ParseUint(os.Getenv(name), 10, strconv.IntSize-1)
	if err != nil {
		return 0
	}
	handle := windows.Handle(n)
	if kind, err := windows.GetFileType(handle); err != nil || kind != windows.FILE_TYPE_PIPE {
		return 0
	}
	_ = windows.SetHandleInformation(handle, windows.HANDLE_FLAG_INHERIT, 0)
	return uintptr(n)
}

// hearLeave has the event of this agent's name close Stop. Where it cannot be made, the program that sets it kills in the end.
func (c *Child) hearLeave() {
	exe, err := os.Executable()
	if err != nil {
		return
	}
	p, err := pointer.Of(exe)
	if err != nil {
		return
	}
	if event, err := newEvent(p, agentRole, os.Getpid()); err == nil {
		go func() {
			event.wait()
			c.leave(false)
		}()
	}
}

// beats is where beats go: a place for one, and a writer that may block in the sender's stead.
type beats chan struct{}

func newBeats(pipe *os.File) beats {
	b := make(beats, 1)
	go func() {
		for range b {
			if _, err := pipe.Write([]byte{'b'}); err != nil {
				return
			}
		}
	}()
	return b
}

// send never blocks; a beat for which there is no room is dropped.
func (b beats) send() {
	select {
	case b <- struct{}{}:
	default:
	}
}
