package terminal

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

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Printer is the one place that speaks to people. Results go to out; progress, errors and hints to err. With --json the result is one
// JSON object on out, an error is one JSON object on err, and progress is one JSON object a line on err.
type Printer struct {
	Out, Err io.Writer
	In       io.Reader
	Args     []string // the command line
	JSON     bool
	Terminal bool // Err is a terminal: progress may redraw its line

	mu    sync.Mutex
	last  time.Time // progress was shown
	bars  []*Bar    // under way, see progress.go
	drawn int       // lines of them on the terminal, the cursor behind the last
	width int       // columns of the terminal
}

// New is a printer of results to out and of all else to err; it asks on in.
func New(in io.Reader, out, err io.Writer) *Printer {
	p := &Printer{In: in, Out: fault.Writer(out), Err: fault.Writer(err), width: 80}
	if f, ok := err.(*os.File); ok {
		p.Terminal = term.IsTerminal(int(f.Fd()))
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			p.width = columns
		}
	}
	return p
}

// PrinterKey is where the app keeps its printer.
const PrinterKey = "printer"

// Of is the printer of the running subcommand.
func Of(c *cli.Context) *Printer { return c.App.Metadata[PrinterKey].(*Printer) }

// Result prints the outcome of a subcommand: data as one JSON object with --json, else the text lines.
func (p *Printer) Result(data any, format string, args ...any) {
	p.endLine()
	if p.JSON {
		enc := json.NewEncoder(p.Out)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(data)
		return
	}
	if format != "" {
		fmt.Fprintf(p.Out, strings.TrimRight(format, "\n")+"\n", args...)
	}
}

// Step tells of one thing done; with --json it is a progress line {"step": …}.
func (p *Printer) Step(format string, args ...any) { p.StepWith("", nil, format, args...) }

// StepWith is a step whose progress line has the same as data, under a name of its own.
func (p *Printer) StepWith(name string, data any, format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	if p.JSON {
		line := map[string]any{"step": text}
		if name != "" {
			line[name] = data
		}
		p.encode(p.Err, line)
		return
	}
	p.settle(false)
	fmt.Fprintln(p.Err, text)
	p.Draw()
}

// Log takes what other programs say: as it is, with --json a line {"log": …} for each of theirs.
func (p *Printer) Log() io.Writer {
	if p.JSON {
		return &lines{printer: p}
	}
	return p.Err
}

type lines struct {
	printer *Printer
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

// Size prints bytes for people, in powers of ten.
func Size(n int64) string {
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

// Fail prints an error and its hint and returns the exit code.
func (p *Printer) Fail(err error) int {
	e := explain(err)
	p.endLine()
	if p.JSON {
		p.line(map[string]any{"error": e.Error(), "hint": e.Hint, "exit": e.Kind.ExitCode(), "code": e.Name})
		return e.Kind.ExitCode()
	}
	fmt.Fprintf(p.Err, "error: %v\n", e)
	for _, h := range strings.Split(e.Hint, "\n") {
		if h != "" {
			fmt.Fprintf(p.Err, "hint: %s\n", h)
		}
	}
	return e.Kind.ExitCode()
}

func (p *Printer) line(data any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.encode(p.Err, data)
}

func (p *Printer) encode(w io.Writer, data any) {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(data)
}

// endLine leaves what was drawn of the bars behind.
func (p *Printer) endLine() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settle(true)
}

// Dash is a text, or a dash where there is none.
func Dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
