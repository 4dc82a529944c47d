//go:build unix

package launcher

import (
	"os"
	"strconv"
	"sync/atomic"
	"syscall"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// Child is an agent's connection to the launcher that started it.
type Child struct {
	sequence  uint64
	stop      chan struct{}
	gone      atomic.Bool
	beat      int
	lock      *host.FolderLock
	rival     int
	lockError error
}

// Attach is the agent's first act: it takes the agent lock, marks descriptors close-on-exec and removes the variable. False
// means that no launcher started this process.
func Attach() (*Child, bool) {
	text := os.Getenv(StartVariable)
	if text == "" {
		return nil, false
	}
	os.Unsetenv(StartVariable)
	host.CloseOnExec(stopDescriptor)
	sequence, err := strconv.ParseUint(text, 10, 64)
	if err != nil || !isPipe(stopDescriptor) || !isPipe(beatDescriptor) {
		return nil, false
	}
	c := &Child{sequence: sequence, stop: make(chan struct{}), beat: beatDescriptor}
	c.takeLock()
	_ = syscall.SetNonblock(c.beat, true)
	_ = syscall.SetNonblock(stopDescriptor, true)
	go c.listen(os.NewFile(stopDescriptor, "stop"))
	return c, true
}

func (c *Child) takeLock() {
	exe, err := os.Executable()
	if err != nil {
		c.lockError = err
		return
	}
	paths, err := pointer.Of(exe)
	if err != nil {
		c.lockError = err
		return
	}
	c.lock, c.rival, c.lockError = lockFolder(paths.AgentLock())
}

// lockFolder takes a lock, making its folder first where somebody removed it.
func lockFolder(dir string) (*host.FolderLock, int, error) {
	lock, holder, err := host.TryLock(dir)
	if err == nil {
		return lock, holder, nil
	}
	if os.MkdirAll(dir, 0o700) != nil {
		return nil, 0, err
	}
	return host.TryLock(dir)
}

// listen waits for the stop byte or the end of the launcher.
func (c *Child) listen(f *os.File) {
	n, _ := f.Read(make([]byte, 1))
	c.gone.Store(n == 0)
	close(c.stop)
}

// Beat tells the launcher that this agent lives. It never blocks; a beat for which there is no room is dropped.
func (c *Child) Beat() { _, _ = syscall.Write(c.beat, []byte{'b'}) }

func isPipe(fd int) bool {
	var stat syscall.Stat_t
	return syscall.Fstat(fd, &stat) == nil && stat.Mode&syscall.S_IFMT == syscall.S_IFIFO
}
