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

// Printer is the one place that speaks to people. Results go to Out; progress, errors and hints to Err. With JSON the result is one
// JSON object on Out, an error is one JSON object on Err, and progress is one JSON object a line on Err.
type Printer struct {
	Out, Err io.Writer
	In       io.Reader
	Args     []string // the command line
	JSON     bool
	Quiet    bool // results, warnings and errors only
	Verbose  bool // with the time since the start, and with what is of use where a command does not do what it should
	Terminal bool // Err is a terminal: progress may redraw its line

	mu      sync.Mutex
	began   time.Time
	last    time.Time // progress was shown
	bars    []*Bar    // under way, see progress.go
	drawn   int       // lines of them on the terminal, the cursor behind the last
	width   int       // columns of the terminal, where size does not tell them
	size    func() int
	redraws bool    // Out is a terminal that can be emptied
	vividly [2]bool // colours on Out, on Err
	out     *kept
}

// New makes the printer of a process.
func New(in io.Reader, out, err io.Writer) *Printer {
	k := &kept{to: out}
	p := &Printer{In: in, Out: fault.Writer(k), Err: fault.Writer(err), out: k, width: 80, began: time.Now()}
	p.redraws = vivid(out)
	p.vividly[0] = p.redraws
	if f, ok := err.(*os.File); ok && vivid(f) {
		p.Terminal = true
		p.size = func() int {
			columns, _, err := term.GetSize(int(f.Fd()))
			if err != nil {
				return 0
			}
			return columns
		}
		p.vividly[1] = true
	}
	if os.Getenv("NO_COLOR") != "" { // https://no-color.org
		p.vividly = [2]bool{}
	}
	return p
}

// columns are those of the terminal as it is now.
func (p *Printer) columns() int {
	if p.size != nil {
		if n := p.size(); n > 0 {
			return n
		}
	}
	return p.width
}

// Width is how many columns a text on Out has, 0 where it is not known.
func (p *Printer) Width() int {
	if p.size == nil {
		return 0
	}
	return p.size()
}

// kept remembers that a write failed: an answer that is lost is not a success.
type kept struct {
	to  io.Writer
	mu  sync.Mutex
	err error
}

func (k *kept) Write(b []byte) (int, error) {
	n, err := k.to.Write(b)
	if err != nil {
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.err == nil {
			k.err = err
		}
	}
	return n, err
}

// Lost is why a part of the answer was not written, nil where all of it was.
func (p *Printer) Lost() error {
	p.out.mu.Lock()
	defer p.out.mu.Unlock()
	return p.out.err
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

// warning is how a step begins that is said with --quiet, too.
const warning = "warning: "

// Step tells of one thing done; with --json it is a progress line {"step": …}.
func (p *Printer) Step(format string, args ...any) { p.StepWith("", nil, format, args...) }

// StepWith is a step whose progress line has the same as data, under a name of its own.
func (p *Printer) StepWith(name string, data any, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	p.tell(map[string]any{"step": text}, name, data, p.Quiet && !strings.HasPrefix(text, warning))
}

// Warn tells of what goes on and should be known; with --quiet, too.
func (p *Printer) Warn(format string, args ...any) {
	p.tell(map[string]any{"step": warning + fmt.Sprintf(format, args...)}, "", nil, false)
}

// Detail tells what is of use where a command does not do what it should: with --verbose only.
func (p *Printer) Detail(format string, args ...any) {
	p.tell(map[string]any{"detail": fmt.Sprintf(format, args...)}, "", nil, !p.Verbose || p.Quiet)
}

// tell prints one line of progress.
func (p *Printer) tell(line map[string]any, name string, data any, silent bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case silent:
		return
	case p.JSON:
		if name != "" {
			line[name] = data
		}
		p.encode(p.Err, line)
		return
	}
	text, _ := line["step"].(string)
	if text == "" {
		text, _ = line["detail"].(string)
	}
	p.settle(false)
	if rest, warns := strings.CutPrefix(text, warning); warns {
		text = p.paint(1, yellow, "warning:") + " " + rest
	}
	if p.Verbose {
		text = fmt.Sprintf("%6.1fs  %s", time.Since(p.began).Seconds(), text)
	}
	fmt.Fprintln(p.Err, text)
	p.draw()
}

// Colours, as terminals know them.
const (
	red    = "31;1"
	green  = "32"
	yellow = "33"
	bold   = "1"
)

// paint colours a text for Out (0) or Err (1).
func (p *Printer) paint(where int, colour, text string) string {
	if !p.vividly[where] || p.JSON {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// Good is the colour of what is as it should be, in a result.
func (p *Printer) Good(text string) string { return p.paint(0, green, text) }

// Bad is the colour of what is wrong.
func (p *Printer) Bad(text string) string { return p.paint(0, red, text) }

// Doubtful is the colour of what should be looked at.
func (p *Printer) Doubtful(text string) string { return p.paint(0, yellow, text) }

// Log takes what other programs say: as it is, with --json a line {"log": …} for each of theirs.
func (p *Printer) Log() io.Writer {
	switch {
	case p.Quiet:
		return io.Discard
	case p.JSON:
		return &lines{printer: p, to: p.Err, name: "log"}
	}
	return p.Err
}

// Lines is Out for lines as they are, with --json one object a line under the name.
func (p *Printer) Lines(name string) io.Writer {
	if p.JSON {
		return &lines{printer: p, to: p.Out, name: name}
	}
	return p.Out
}

type lines struct {
	printer *Printer
	to      io.Writer
	name    string
	part    []byte // of a line that is not complete
}

func (l *lines) Write(text []byte) (int, error) {
	l.part = append(l.part, text...)
	for {
		line, rest, whole := bytes.Cut(l.part, []byte("\n"))
		if !whole {
			return len(text), nil
		}
		l.printer.line(l.to, map[string]any{l.name: string(line)})
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
		p.line(p.Err, map[string]any{"error": e.Error(), "hint": e.Hint, "exit": e.Kind.ExitCode(), "code": e.Name})
		return e.Kind.ExitCode()
	}
	fmt.Fprintf(p.Err, "%s %v\n", p.paint(1, red, "error:"), e)
	for _, h := range strings.Split(e.Hint, "\n") {
		if h != "" {
			fmt.Fprintf(p.Err, "%s %s\n", p.paint(1, bold, "hint:"), h)
		}
	}
	return e.Kind.ExitCode()
}

func (p *Printer) line(to io.Writer, data any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.encode(to, data)
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
