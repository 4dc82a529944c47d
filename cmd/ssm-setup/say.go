package main

import (
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

	mu     sync.Mutex
	last   time.Time
	redraw bool // the last thing on err is a progress line
}

func newVoice(in io.Reader, out, err io.Writer) *voice {
	v := &voice{in: in, out: out, err: err}
	if f, ok := err.(*os.File); ok {
		v.terminal = term.IsTerminal(int(f.Fd()))
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
func (v *voice) step(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	v.endLine()
	if v.json {
		v.line(map[string]any{"step": text})
		return
	}
	fmt.Fprintln(v.err, text)
}

// progress returns a function that shows how far a long thing is: a bar on a terminal, else a JSON line at most once a
// second (and at the end). total may be 0 when it is not known.
func (v *voice) progress(what string) func(done, total int64) {
	return func(done, total int64) {
		v.mu.Lock()
		defer v.mu.Unlock()
		finished := total > 0 && done >= total
		pause := time.Second
		if v.terminal && !v.json {
			pause = 100 * time.Millisecond
		}
		if now := time.Now(); !finished && now.Sub(v.last) < pause {
			return
		} else {
			v.last = now
		}
		if v.terminal && !v.json {
			fmt.Fprintf(v.err, "\r\x1b[K%s", bar(what, done, total))
			v.redraw = true
			return
		}
		v.encode(v.err, map[string]any{"progress": what, "done": done, "total": total})
	}
}

// bar draws one progress line, at most 79 columns.
func bar(what string, done, total int64) string {
	const width = 30
	if len(what) > 28 {
		what = what[:28]
	}
	if total <= 0 {
		return fmt.Sprintf("%-28s %s", what, size(done))
	}
	full := int(min(int64(width), done*width/total))
	return fmt.Sprintf("%-28s [%s%s] %s", what, strings.Repeat("=", full), strings.Repeat(" ", width-full), size(total))
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

// endLine leaves a half-drawn progress line behind.
func (v *voice) endLine() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.redraw {
		fmt.Fprintln(v.err)
		v.redraw = false
	}
}
