package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// voice is the one printer. Results go to out; progress, errors and hints to err. With --json the result is one JSON object
// on out, an error is one JSON object on err, and progress is one JSON object a line on err.
type voice struct {
	out, err io.Writer
	in       io.Reader
	json     bool
	terminal bool // err is a terminal: progress may redraw its line

	mu    sync.Mutex
	last  time.Time // progress was shown
	bars  []*gauge  // under way, see bars.go
	drawn int       // lines of them on the terminal, the cursor behind the last
	width int       // columns of the terminal
}

func newVoice(in io.Reader, out, err io.Writer) *voice {
	v := &voice{in: in, out: out, err: err, width: 80}
	if f, ok := err.(*os.File); ok {
		v.terminal = term.IsTerminal(int(f.Fd()))
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			v.width = columns
		}
	}
	return v
}

// result prints the outcome of a verb: data as one JSON object with --json, else the text lines.
func (v *voice) result(data any, format string, args ...any) {
	v.endLine()
	if v.json {
		enc := json.NewEncoder(v.out)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(data)
		return
	}
	if format != "" {
		fmt.Fprintf(v.out, strings.TrimRight(format, "\n")+"\n", args...)
	}
}

// step tells of one thing done; with --json it is a progress line {"step": …}.
func (v *voice) step(format string, args ...any) { v.stepWith("", nil, format, args...) }

// stepWith is a step whose progress line has the same as data, under a name of its own.
func (v *voice) stepWith(name string, data any, format string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	if v.json {
		line := map[string]any{"step": text}
		if name != "" {
			line[name] = data
		}
		v.encode(v.err, line)
		return
	}
	v.settle(false)
	fmt.Fprintln(v.err, text)
	v.draw()
}

// log takes what other programs say: as it is, with --json a line {"log": …} for each of theirs.
func (v *voice) log() io.Writer {
	if v.json {
		return &lines{v: v}
	}
	return v.err
}

type lines struct {
	v    *voice
	part []byte // of a line that is not complete
}

func (l *lines) Write(p []byte) (int, error) {
	l.part = append(l.part, p...)
	for {
		line, rest, whole := bytes.Cut(l.part, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		l.v.line(map[string]any{"log": string(line)})
		l.part = rest
	}
}

// size prints bytes for people, in powers of ten.
func size(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%d B", n)
}

// fail prints an error and its hint and returns the exit code.
func (v *voice) fail(err error) int {
	p := explain(err)
	v.endLine()
	if v.json {
		v.line(map[string]any{"error": p.Error(), "hint": p.hint, "exit": p.code, "code": p.name})
		return p.code
	}
	fmt.Fprintf(v.err, "error: %v\n", p)
	for _, h := range strings.Split(p.hint, "\n") {
		if h != "" {
			fmt.Fprintf(v.err, "hint: %s\n", h)
		}
	}
	return p.code
}

func (v *voice) line(data any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.encode(v.err, data)
}

func (v *voice) encode(w io.Writer, data any) {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(data)
}

// endLine leaves what was drawn of the bars behind.
func (v *voice) endLine() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.settle(true)
}
