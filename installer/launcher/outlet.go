package launcher

import (
	"bufio"
	"os"
	"strconv"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// Bounds of what children print, all of them together: a release that prints without end must fill no disk. More is read and dropped,
// so that no child waits for it.
const (
	printMost   = 64 << 10 // in bytes, within printPeriod
	printPeriod = time.Minute
	printAtOnce = 1024    // lines that wait for a slow log
	longestLine = 4 << 10 // in bytes; a longer one comes in pieces
)

// outlet takes what children print: standard output and error of each are its pipe.
type outlet struct {
	far     *os.File // the children's end; nil: what they print is lost
	log     *lineWriter
	ended   chan struct{} // closed when no process prints any more
	began   time.Time     // of the period
	taken   int           // bytes in it
	dropped int           // bytes in it
}

// newOutlet begins to read.
func newOutlet(log *lineWriter) *outlet {
	o := &outlet{log: log, ended: make(chan struct{})}
	near, far, err := os.Pipe()
	if err != nil {
		return o
	}
	o.far = far
	go func() {
		defer close(o.ended)
		defer log.close()
		lines := bufio.NewReaderSize(near, longestLine)
		for {
			line, err := lines.ReadSlice('\n')
			if len(line) > 0 {
				o.take(string(line), time.Now())
			} else if err != nil {
				return
			}
		}
	}()
	return o
}

// take hands a line on, or drops it where the period has had its share.
func (o *outlet) take(line string, now time.Time) {
	if now.Sub(o.began) >= printPeriod {
		if o.dropped > 0 {
			o.log.warn("dropped ", strconv.Itoa(o.dropped), " bytes that the agent printed within ", printPeriod.String())
		}
		o.began, o.taken, o.dropped = now, 0, 0
	}
	if o.taken+len(line) > printMost {
		if o.dropped == 0 {
			o.log.warn("the agent prints too much: more than ", strconv.Itoa(printMost), " bytes within ", printPeriod.String(), " are dropped")
		}
		o.taken = printMost // not the short lines of what is dropped, either
		o.dropped += len(line)
		return
	}
	o.taken += len(line)
	o.log.send(line)
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
