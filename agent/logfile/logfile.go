package logfile

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// Sizes of logs in bytes and how many rolled ones are kept (docs/protocol/identity.md, "Log files").
const (
	logSize, logRolls     = 30_000_000, 5
	errorSize, errorRolls = 10_000_000, 5
	logStamp              = "2006-01-02 15:04:05.0000"
)

// Logs write lines as the original does, to <logs>/amazon-ssm-agent.log and a console; errors also to errors.log.
//
//	2006-01-02 15:04:05.0000 INFO [room] message key=value
//
// The attribute "room" is the bracket in front.
type Logs struct {
	all, errors *host.RollingFile
	console     io.Writer
	level       *slog.LevelVar
	xml         string
	brief       bool
}

// Brief has the console take no line about a single command, unless it is a warning or an error: where a service manager keeps what the
// console gets, a busy agent would fill its log with what the file has too.
func (l *Logs) Brief() { l.brief = true }

// Open makes the folder if it can. The minimum level is info, or minlevel of seelog.xml in the folder of settings,
// the documented way to debug; call Reload now and then to follow it.
func Open(dir, settings string, console io.Writer) *Logs {
	_ = os.MkdirAll(dir, 0o755) // without it lines are lost
	l := &Logs{console: console, level: new(slog.LevelVar), xml: filepath.Join(settings, "seelog.xml"),
		all:    rolling(filepath.Join(dir, "amazon-ssm-agent.log"), logSize, logRolls),
		errors: rolling(filepath.Join(dir, "errors.log"), errorSize, errorRolls)}
	l.Reload()
	return l
}

// rolling is a file that makes way under a number that only grows, as the original's does.
func rolling(path string, size int64, keep int) *host.RollingFile {
	return host.Rolling{Path: path, Size: size, Keep: keep, Mode: 0o644, Growing: true}.File()
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

// Close closes the files, which cannot be removed on Windows while they are open. A line that comes later opens them again.
func (l *Logs) Close() {
	_ = l.all.Close()
	_ = l.errors.Close()
}
