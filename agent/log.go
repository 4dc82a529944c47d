package agent

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Sizes of logs in bytes and how many rolled ones are kept (spec identity 10.1).
const (
	logSize, logRolls     = 30_000_000, 5
	errorSize, errorRolls = 10_000_000, 5
	logStamp              = "2006-01-02 15:04:05.0000"
)

// Logs write lines as the original does, to <logs>/amazon-ssm-agent.log and a console; errors also to errors.log.
//
//	2006-01-02 15:04:05.0000 INFO [room] message key=value
//
// The attribute "room" is the bracket in front. A line that cannot be written is lost; nobody waits for a log.
type Logs struct {
	all, errors *rolled
	console     io.Writer
	level       *slog.LevelVar
	xml         string
}

// OpenLogs makes the folder if it can. The minimum level is info, or minlevel of seelog.xml in the folder of settings,
// the documented way to debug; call Reload now and then to follow it.
func OpenLogs(dir, settings string, console io.Writer) *Logs {
	os.MkdirAll(dir, 0o755)
	l := &Logs{console: console, level: new(slog.LevelVar), xml: filepath.Join(settings, "seelog.xml"),
		all:    &rolled{path: filepath.Join(dir, "amazon-ssm-agent.log"), size: logSize, rolls: logRolls},
		errors: &rolled{path: filepath.Join(dir, "errors.log"), size: errorSize, rolls: errorRolls}}
	l.Reload()
	return l
}

// Logger writes here.
func (l *Logs) Logger() *slog.Logger { return slog.New(&lines{logs: l}) }

// Reload reads minlevel again.
func (l *Logs) Reload() {
	level := slog.LevelInfo
	if text, err := os.ReadFile(l.xml); err == nil {
		_, rest, _ := strings.Cut(string(text), `minlevel="`)
		name, _, _ := strings.Cut(rest, `"`)
		switch strings.ToLower(name) {
		case "trace", "debug":
			level = slog.LevelDebug
		case "warn":
			level = slog.LevelWarn
		case "error", "critical":
			level = slog.LevelError
		}
	}
	l.level.Set(level)
}

// Close gives the files back, which Windows otherwise lets nobody remove. A line that comes later opens them again.
func (l *Logs) Close() {
	l.all.close()
	l.errors.close()
}

// lines is the handler.
type lines struct {
	logs *Logs
	room string
	tail string // attributes already printed
}

// Enabled follows the level.
func (h *lines) Enabled(_ context.Context, level slog.Level) bool {
	return level >= h.logs.level.Level()
}

// WithGroup is not used in this house.
func (h *lines) WithGroup(string) slog.Handler { return h }

// WithAttrs prints attributes once for all lines.
func (h *lines) WithAttrs(attrs []slog.Attr) slog.Handler {
	n := *h
	for _, a := range attrs {
		if a.Key == "room" {
			n.room = "[" + a.Value.String() + "] "
			continue
		}
		n.tail += printed(a)
	}
	return &n
}

func printed(a slog.Attr) string {
	text := fmt.Sprint(a.Value.Resolve().Any())
	if strings.ContainsAny(text, " \t\r\n\"=") || text == "" {
		text = strconv.Quote(text)
	}
	return " " + a.Key + "=" + text
}

// Handle writes one line.
func (h *lines) Handle(_ context.Context, r slog.Record) error {
	var b bytes.Buffer
	b.WriteString(r.Time.Format(logStamp))
	b.WriteString(" " + r.Level.String() + " " + h.room + r.Message + h.tail)
	r.Attrs(func(a slog.Attr) bool { b.WriteString(printed(a)); return true })
	b.WriteByte('\n')
	h.logs.all.write(b.Bytes())
	if r.Level >= slog.LevelError {
		h.logs.errors.write(bytes.Replace(b.Bytes(), []byte(" ERROR "), []byte(" ERROR "+place(r.PC)), 1))
	}
	if h.logs.console != nil {
		h.logs.console.Write(b.Bytes())
	}
	return nil
}

// place is where in the program a line comes from: "[Func @ file.go.line] ".
func place(pc uintptr) string {
	if pc == 0 {
		return ""
	}
	frame, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	name := frame.Function[strings.LastIndexByte(frame.Function, '.')+1:]
	return fmt.Sprintf("[%s @ %s.%d] ", name, filepath.Base(frame.File), frame.Line)
}

// unhurried is a writer that never blocks: lines that a console does not take in time are dropped. The returned func
// waits a moment for what is on its way.
func unhurried(w io.Writer) (io.Writer, func()) {
	if w == nil {
		return nil, func() {}
	}
	lines, done := make(chan []byte, 128), make(chan struct{})
	go func() {
		defer close(done)
		for line := range lines {
			if line == nil {
				return
			}
			w.Write(line)
		}
	}()
	return dropping(lines), func() {
		ctx, end := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer end()
		select {
		case lines <- nil: // the end
		case <-ctx.Done():
		}
		select {
		case <-done:
		case <-ctx.Done():
		}
	}
}

type dropping chan []byte

// Write never blocks.
func (d dropping) Write(line []byte) (int, error) {
	select {
	case d <- bytes.Clone(line):
	default:
	}
	return len(line), nil
}

// rolled is a file that makes way when it grows too large: it gets a number that only grows.
type rolled struct {
	path  string
	size  int64
	rolls int

	mu    sync.Mutex
	file  *os.File
	grown int64
	retry time.Time
}

func (r *rolled) write(line []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file != nil && r.grown+int64(len(line)) > r.size {
		r.file.Close()
		r.file = nil
		r.roll()
	}
	if r.file == nil && !r.open() {
		return
	}
	n, _ := r.file.Write(line)
	r.grown += int64(n)
}

func (r *rolled) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file != nil {
		r.file.Close()
		r.file = nil
	}
}

// open waits a minute after a failure.
func (r *rolled) open() bool {
	if time.Now().Before(r.retry) {
		return false
	}
	f, err := os.OpenFile(r.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		r.retry = time.Now().Add(time.Minute)
		return false
	}
	r.file, r.grown = f, 0
	if info, err := f.Stat(); err == nil {
		r.grown = info.Size()
	}
	return true
}

// roll renames the full file and removes the oldest beyond the limit.
func (r *rolled) roll() {
	var numbers []int
	names, _ := filepath.Glob(r.path + ".*")
	for _, name := range names {
		if n, err := strconv.Atoi(strings.TrimPrefix(name, r.path+".")); err == nil {
			numbers = append(numbers, n)
		}
	}
	newest := 0
	for _, n := range numbers {
		newest = max(newest, n)
	}
	os.Rename(r.path, r.path+"."+strconv.Itoa(newest+1))
	for _, n := range numbers {
		if n <= newest+1-r.rolls {
			os.Remove(r.path + "." + strconv.Itoa(n))
		}
	}
}
