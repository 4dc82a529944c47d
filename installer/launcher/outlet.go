package launcher

import (
	"os"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// printAtOnce is how many lines that children print may wait for a slow log.
const printAtOnce = 1024

// outlet takes what children print: standard output and error of each are its pipe. A release that prints without end fills no disk.
type outlet struct {
	far   *os.File      // the children's end; nil: what they print is lost
	ended chan struct{} // closed when no process prints any more
}

// newOutlet begins to read.
func newOutlet(log *lineWriter) *outlet {
	o := &outlet{ended: make(chan struct{})}
	near, far, err := os.Pipe()
	if err != nil {
		return o
	}
	o.far = far
	go func() {
		defer close(o.ended)
		defer log.close()
		prints := host.Prints{Who: "the agent", Take: log.send, Note: func(text string) { log.warn(text) }}
		prints.Read(near)
	}()
	return o
}

// stream is where a child prints to: the pipe, else null.
func (o *outlet) stream(null uintptr) uintptr {
	if o == nil || o.far == nil {
		return null
	}
	return o.far.Fd()
}

// close gives the last lines a moment. A child that lives on prints for nothing.
func (o *outlet) close() {
	if o == nil || o.far == nil {
		return
	}
	o.far.Close()
	select {
	case <-o.ended:
	case <-time.After(200 * time.Millisecond):
	}
}

// rollingLog is the log of a launcher that no service manager listens to.
func rollingLog(path string) *host.RollingFile {
	return host.Rolling{Path: path, Size: largestLog, Keep: 1, Mode: 0o600}.File()
}
