package launcher

import (
	"io"
	"strconv"
	"time"
)

// voice writes log lines without ever making the speaker wait: lines are dropped when the reader is behind.
type voice struct {
	lines   chan string
	done    chan struct{}
	dropped int
}

func newVoice(w io.Writer) *voice {
	v := &voice{lines: make(chan string, 32), done: make(chan struct{})}
	go func() {
		defer close(v.done)
		for line := range v.lines {
			_, _ = io.WriteString(w, line)
		}
	}()
	return v
}

func (v *voice) say(parts ...string) {
	line := time.Now().UTC().Format(time.RFC3339) + " launcher: "
	for _, p := range parts {
		line += p
	}
	if v.dropped > 0 {
		line += " (" + strconv.Itoa(v.dropped) + " lines dropped before this one)"
	}
	v.send(line + "\n")
}

// send hands one piece over as it is.
func (v *voice) send(text string) {
	select {
	case v.lines <- text:
		v.dropped = 0
	default:
		v.dropped++
	}
}

// close gives the last lines a moment.
func (v *voice) close() {
	close(v.lines)
	select {
	case <-v.done:
	case <-time.After(200 * time.Millisecond):
	}
}
