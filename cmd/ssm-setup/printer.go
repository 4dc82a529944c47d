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

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// printer is the one place that speaks to people. Results go to out; progress, errors and hints to err. With --json the result is one
// JSON object on out, an error is one JSON object on err, and progress is one JSON object a line on err.
type printer struct {
	out, err io.Writer
	in       io.Reader
	args     []string // the command line
	json     bool
	terminal bool // err is a terminal: progress may redraw its line

	mu    sync.Mutex
	last  time.Time      // progress was shown
	bars  []*progressBar // under way, see progress.go
	drawn int            // lines of them on the terminal, the cursor behind the last
	width int            // columns of the terminal
}

func newPrinter(in io.Reader, out, err io.Writer) *printer {
	p := &printer{in: in, out: fault.Writer(out), err: fault.Writer(err), width: 80}
	if f, ok := err.(*os.File); ok {
		p.terminal = term.IsTerminal(int(f.Fd()))
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			p.width = columns
		}
	}
	return p
}

// result prints the outcome of a subcommand: data as one JSON object with --json, else the text lines.
func (p *printer) result(data any, format string, args ...any) {
	p.endLine()
	if p.json {
		enc := json.NewEncoder(p.out)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(data)
		return
	}
	if format != "" {
		fmt.Fprintf(p.out, strings.TrimRight(format, "\n")+"\n", args...)
	}
}

// step tells of one thing done; with --json it is a progress line {"step": …}.
func (p *printer) step(format string, args ...any) { p.stepWith("", nil, format, args...) }

// stepWith is a step whose progress line has the same as data, under a name of its own.
func (p *printer) stepWith(name string, data any, format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	if p.json {
		line := map[string]any{"step": text}
		if name != "" {
			line[name] = data
		}
		p.encode(p.err, line)
		return
	}
	p.settle(false)
	fmt.Fprintln(p.err, text)
	p.draw()
}

// log takes what other programs say: as it is, with --json a line {"log": …} for each of theirs.
func (p *printer) log() io.Writer {
	if p.json {
		return &lines{printer: p}
	}
	return p.err
}

type lines struct {
	printer *printer
	part    []byte // of a line that is not complete
}

func (l *lines) Write(text []byte) (int, error) {
	l.part = append(l.part, text...)
	for {
		line, rest, whole := bytes.Cut(l.part, []byte("\n"))
		if !whole {
			return len(text), nil
		}
		l.printer.line(map[string]any{"log": string(line)})
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
func (p *printer) fail(err error) int {
	e := explain(err)
	p.endLine()
	if p.json {
		p.line(map[string]any{"error": e.Error(), "hint": e.hint, "exit": e.kind.ExitCode(), "code": e.name})
		return e.kind.ExitCode()
	}
	fmt.Fprintf(p.err, "error: %v\n", e)
	for _, h := range strings.Split(e.hint, "\n") {
		if h != "" {
			fmt.Fprintf(p.err, "hint: %s\n", h)
		}
	}
	return e.kind.ExitCode()
}

func (p *printer) line(data any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.encode(p.err, data)
}

func (p *printer) encode(w io.Writer, data any) {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(data)
}

// endLine leaves what was drawn of the bars behind.
func (p *printer) endLine() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settle(true)
}
