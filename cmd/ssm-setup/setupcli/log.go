package setupcli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// levels is the original's log of a setup: LEVEL message, with date and time in front on-premises.
type levels struct {
	mu    sync.Mutex
	to    []io.Writer
	dated bool
}

func (l *levels) line(level, format string, args ...any) {
	text := level + " " + fault.OneLine(fault.Redact(fmt.Sprintf(format, args...))) + "\n"
	if l.dated {
		text = time.Now().Format("2006-01-02 15:04:05 ") + text
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.to {
		_, _ = io.WriteString(w, text)
	}
}

func (l *levels) info(format string, args ...any)  { l.line("INFO", format, args...) }
func (l *levels) warn(format string, args ...any)  { l.line("WARN", format, args...) }
func (l *levels) error(format string, args ...any) { l.line("ERROR", format, args...) }

// progress writes how far a long thing is, once in ten seconds.
func (l *levels) progress(what string) func(done, total int64) {
	last := time.Now()
	return func(done, total int64) {
		if now := time.Now(); now.Sub(last) >= 10*time.Second {
			last = now
			l.info("%s: %d of %d bytes", what, done, total)
		}
	}
}

// openSetupLog opens <logs>/ssm-setup-cli.log for appending; a full one is rolled to .1, and so on.
func openSetupLog(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return host.Rolling{Path: filepath.Join(dir, name+".log"), Size: 30_000_000, Keep: 5, Mode: 0o600}.Open()
}
