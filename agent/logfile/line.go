package logfile

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// lines is the handler.
type lines struct {
	logs *Logs
	room string
	tail string // attributes already printed

	command bool // about a single command
}

// Enabled follows the level.
func (h *lines) Enabled(_ context.Context, level slog.Level) bool {
	return level >= h.logs.level.Level()
}

// WithGroup changes nothing: the agent names no groups.
func (h *lines) WithGroup(string) slog.Handler { return h }

// WithAttrs prints attributes once for all lines.
func (h *lines) WithAttrs(attrs []slog.Attr) slog.Handler {
	n := *h
	for _, a := range attrs {
		if a.Key == "room" {
			n.room = "[" + plain(a.Value.String()) + "] "
			continue
		}
		n.command = n.command || a.Key == commandKey
		n.tail += printed(a)
	}
	return &n
}

// commandKey is the attribute of lines about a single command.
const commandKey = "messageID"

func printed(a slog.Attr) string {
	text := fmt.Sprint(a.Value.Resolve().Any())
	if strings.ContainsAny(text, " \t\r\n\"=") || text == "" {
		text = strconv.Quote(text)
	}
	return " " + a.Key + "=" + plain(text)
}

// plain is a text that may come from outside, without control characters and without the passwords of addresses.
func plain(text string) string { return fault.OneLine(fault.Redact(text)) }

// Handle writes one line.
func (h *lines) Handle(_ context.Context, r slog.Record) error {
	var b bytes.Buffer
	b.WriteString(r.Time.Format(logStamp))
	b.WriteString(" " + r.Level.String() + " " + h.room + plain(r.Message) + h.tail)
	command := h.command
	r.Attrs(func(a slog.Attr) bool {
		command = command || a.Key == commandKey
		b.WriteString(printed(a))
		return true
	})
	b.WriteByte('\n')
	_, _ = h.logs.all.Write(b.Bytes()) // never fails
	if r.Level >= slog.LevelError {
		_, _ = h.logs.errors.Write(bytes.Replace(b.Bytes(), []byte(" ERROR "), []byte(" ERROR "+source(r.PC)), 1))
	}
	if h.logs.console != nil && !(command && r.Level < slog.LevelWarn && h.logs.brief) {
		_, _ = h.logs.console.Write(b.Bytes()) // a line that cannot be written is lost
	}
	return nil
}

// source is where in the program a line comes from: "[Func @ file.go.line] ".
func source(pc uintptr) string {
	if pc == 0 {
		return ""
	}
	frame, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	name := frame.Function[strings.LastIndexByte(frame.Function, '.')+1:]
	return fmt.Sprintf("[%s @ %s.%d] ", name, filepath.Base(frame.File), frame.Line)
}
