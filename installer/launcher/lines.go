package launcher

import (
	"io"
	"os"
	"strconv"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// lineWriter writes log lines without ever making the loop wait: lines are dropped when the reader is behind.
type lineWriter struct {
	lines   chan string
	done    chan struct{}
	journal bool // the reader is the system's journal
	dropped int
	direct  io.Writer // takes the lines in the caller's goroutine; nil: another takes them
}

// newLineWriter writes to w: by another goroutine, behind which so many lines may wait, or, at once, in the caller's own.
func newLineWriter(w io.Writer, waiting int, atOnce bool) *lineWriter {
	v := &lineWriter{lines: make(chan string, waiting), done: make(chan struct{})}
	if atOnce {
		v.direct = w
	}
	if f, ok := w.(*os.File); ok {
		v.journal = host.IsJournal(f)
	}
	go func() {
		defer close(v.done)
		for line := range v.lines {
			_, _ = io.WriteString(w, line)
		}
	}()
	return v
}

// say writes what happens as planned, with the priority that the journal reads in front (sd-daemon(3)).
func (v *lineWriter) say(parts ...string) { v.line("<6>", parts) }

// warn writes what an administrator may want to look into.
func (v *lineWriter) warn(parts ...string) { v.line("<4>", parts) }

// alarm writes what went wrong.
func (v *lineWriter) alarm(parts ...string) { v.line("<3>", parts) }

// line writes a line. The journal gives it its time, and the name of the program; elsewhere it has its own.
func (v *lineWriter) line(priority string, parts []string) {
	line := time.Now().UTC().Format(time.RFC3339) + " launcher: "
	if v.journal {
		line = priority
	}
	for _, p := range parts {
		line += p
	}
	if v.dropped > 0 {
		line += " (" + strconv.Itoa(v.dropped) + " lines dropped before this one)"
	}
	v.send(line + "\n")
}

// send hands one piece over as it is.
func (v *lineWriter) send(text string) {
	if v.direct != nil {
		_, _ = io.WriteString(v.direct, text)
		return
	}
	select {
	case v.lines <- text:
		v.dropped = 0
	default:
		v.dropped++
	}
}

// close gives the last lines a moment.
func (v *lineWriter) close() {
	close(v.lines)
	select {
	case <-v.done:
	case <-time.After(200 * time.Millisecond):
	}
}
