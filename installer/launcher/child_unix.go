//go:build unix

package launcher

import (
	"os"
	"strconv"
	"syscall"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

const (
	stopDescriptor = 3
	beatDescriptor = 4
)

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
	_ = syscall.SetNonblock(beatDescriptor, true)
	_ = syscall.SetNonblock(stopDescriptor, true)
	go c.listen(os.NewFile(stopDescriptor, "stop"))
	return c, true
}

// beats is where beats go.
type beats int

// send never blocks; a beat for which there is no room is dropped.
func (b beats) send() { _, _ = syscall.Write(int(b), []byte{'b'}) }

func isPipe(fd int) bool {
	var stat syscall.Stat_t
	return syscall.Fstat(fd, &stat) == nil && stat.Mode&syscall.S_IFMT == syscall.S_IFIFO
}
