//go:build unix

package screen

import (
	"errors"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"
)

// patience bounds every wait for what a program says.
const patience = 3 * time.Minute

// endMark is written to the terminal behind a program's last word: what was read before it is all that the program wrote.
const endMark = "\x00the end\x00"

// Session is a program that runs at a terminal of its own: its input, output and error output are that terminal, and it is ended with the
// test.
type Session struct {
	t         testing.TB
	cmd       *exec.Cmd
	keyboard  *os.File    // what a person types, and where the program's output comes from
	tty       *os.File    // the terminal itself, kept open beyond the program's end
	untouched *term.State // of the terminal before the program began

	mu   sync.Mutex
	seen strings.Builder
	mark int // what was awaited so far ends here
}

// Start starts a program at a terminal of that many columns. Where cmd names an input, output or error output, the program has that one.
func Start(t testing.TB, cmd *exec.Cmd, columns uint16) *Session {
	t.Helper()
	keyboard, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	s := &Session{t: t, cmd: cmd, keyboard: keyboard, tty: tty}
	t.Cleanup(func() { errors.Join(keyboard.Close(), tty.Close()) }) //nolint:errcheck // nothing is kept there
	if err := pty.Setsize(tty, &pty.Winsize{Rows: 24, Cols: columns}); err != nil {
		t.Fatal(err)
	}
	if s.untouched, err = term.GetState(int(tty.Fd())); err != nil {
		t.Fatal(err)
	}
	if cmd.Stdin == nil {
		cmd.Stdin = tty
	}
	if cmd.Stdout == nil {
		cmd.Stdout = tty
	}
	if cmd.Stderr == nil {
		cmd.Stderr = tty
	}
	cmd.ExtraFiles = []*os.File{tty}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 3}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	go s.read()
	return s
}

func (s *Session) read() {
	block := make([]byte, 4096)
	for {
		n, err := s.keyboard.Read(block)
		s.mu.Lock()
		s.seen.Write(block[:n])
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Await waits until the program has written a text behind the one that was awaited before.
func (s *Session) Await(text string) {
	s.t.Helper()
	s.until("it does not say "+text, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		at := strings.Index(s.seen.String()[s.mark:], text)
		if at >= 0 {
			s.mark += at + len(text)
		}
		return at >= 0
	})
}

// AwaitHidden waits until the terminal does not show what is typed.
func (s *Session) AwaitHidden() {
	s.t.Helper()
	s.until("the terminal shows what is typed", func() bool { return !s.Untouched() })
}

// Untouched tells whether the terminal is as it was before the program began.
func (s *Session) Untouched() bool {
	now, err := term.GetState(int(s.tty.Fd()))
	return err == nil && reflect.DeepEqual(now, s.untouched)
}

// Type types a text.
func (s *Session) Type(text string) {
	s.t.Helper()
	if _, err := s.keyboard.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
}

// Written is what the program has written so far, and what the terminal showed of the typed text.
func (s *Session) Written() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.ReplaceAll(strings.ReplaceAll(s.seen.String(), endMark, ""), "\r\n", "\n")
}

// End waits for the program's end and returns its exit code; [Session.Written] is complete then.
func (s *Session) End() int {
	s.t.Helper()
	ended := make(chan struct{})
	go func() { _ = s.cmd.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(patience):
		s.t.Fatalf("it does not end:\n%s", s.Written())
	}
	if _, err := s.tty.WriteString(endMark); err != nil {
		s.t.Fatal(err)
	}
	s.Await(endMark)
	return s.cmd.ProcessState.ExitCode()
}

func (s *Session) until(complaint string, holds func() bool) {
	s.t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("%s:\n%s", complaint, s.Written())
		}
	}
}
