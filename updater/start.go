package updater

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// answerWithin is how long an updater may take to say whether it takes a request.
const answerWithin = 20 * time.Second

// ErrBusy says that another update is under way. The text is the original's.
var ErrBusy = fault.New(fault.Busy, "Another update in progress, try again later",
	"wait until that one is done, then run the same command again; ssm-setup status shows it")

// ErrDied says that the updater ended before it took the request. The text is the original's.
var ErrDied = errors.New("Updater died before updating, make sure your system is supported") //nolint:staticcheck // the original's words

// Words of the one line an updater writes to its output before it goes to work.
const (
	answerTaken   = "taken"
	answerBusy    = "busy"
	answerRefused = "refused"
)

// Start hands a request to an updater of the running program's own version and returns once that updater has it in its ledger.
// [ErrBusy]: another update is under way. [ErrDied]: it ended before. The updater lives on when the caller ends.
func Start(l installer.Layout, r ledger.Request) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	_, err = Launch(context.Background(), Program{Path: exe, Name: "updater"}, l, r)
	return err
}

// Program is what is run as the updater.
type Program struct {
	Path        string
	Name        string   // argv[0]; "updater" for an agent program
	Arguments   []string // before "run": the word "updater" where the name does not say it
	Environment []string // nil: this process's own
}

// Launch is [Start] with a program of the caller's choice; it returns the request's id in the ledger.
func Launch(ctx context.Context, p Program, l installer.Layout, r ledger.Request) (string, error) {
	r = ledger.WithID(r, time.Now())
	file, err := ledger.Deposit(l, r, ledger.HandedOver)
	if err != nil {
		return "", fmt.Errorf("hand the request over: %w", err)
	}
	line, err := launch(ctx, p, l, file)
	if err != nil {
		ledger.Withdraw(l, r.ID)
		return "", err
	}
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case answerTaken:
		return r.ID, nil
	case answerBusy:
		err = ErrBusy
	case answerRefused:
		err = errors.New(rest)
	default:
		if entered(l, r.ID) {
			return r.ID, nil // it had taken it when it was ended; resume goes on
		}
		err = ErrDied
	}
	ledger.Withdraw(l, r.ID)
	return "", err
}

// entered reports whether a request is in the ledger.
func entered(l installer.Layout, id string) bool {
	led, err := ledger.Read(l)
	return err == nil && (led.Open != nil && led.Open.ID == id || led.Last != nil && led.Last.ID == id)
}

// launch starts the updater detached and reads its first line; no line is [ErrDied].
func launch(ctx context.Context, p Program, l installer.Layout, file string) (string, error) {
	in, out, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer in.Close()
	args := append([]string{p.Name}, p.Arguments...)
	args = append(args, "run", "--request", file)
	if !l.System() {
		args = append(args, "--root", l.Root)
	}
	cmd := &exec.Cmd{Path: p.Path, Args: args, Env: p.Environment, Dir: workFolder(l), Stdout: out}
	host.Detached(cmd)
	cmd.Stderr = &complaints{log: LogFile(l)}
	err = cmd.Start()
	out.Close()
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrDied, err)
	}
	ended := make(chan struct{})
	go func() {
		err := cmd.Wait()
		close(ended)
		if err != nil {
			p.resumeAfter(l, file, cmd.Process.Pid)
		}
	}()
	line := firstLine(ctx, in)
	if line == "" {
		_ = host.KillGroup(cmd.Process.Pid) // it must not take the request after all
		select {
		case <-ended:
		case <-time.After(briefly):
		}
	}
	return line, nil
}

// resumeSoon is how long after an updater's bad end another goes on. The time is for whichever program ended it on purpose, and takes its
// lock: a rollback, a removal, a newer request.
const resumeSoon = 2 * time.Second

// resumeAfter starts "updater resume" once, where an updater that took a request ended before it was done with it: the running agent
// would look a minute later only.
func (p Program) resumeAfter(l installer.Layout, file string, pid int) {
	time.Sleep(resumeSoon)
	led, err := ledger.Read(l)
	if err != nil || led.Open == nil || led.Open.PID != pid || led.Open.ID+ledger.HandedOver != filepath.Base(file) || led.Open.NextStart {
		return
	}
	if _, busy := installer.UpdateLockHolder(l); !busy {
		_ = p.start(l, "resume")
	}
}

// start starts a subcommand of the updater, in a session of its own, with nothing to print to.
func (p Program) start(l installer.Layout, subcommand string) error {
	args := append([]string{p.Name}, p.Arguments...)
	cmd := &exec.Cmd{Path: p.Path, Args: append(args, subcommand), Env: p.Environment, Dir: workFolder(l)}
	if !l.System() {
		cmd.Args = append(cmd.Args, "--root", l.Root)
	}
	host.Detached(cmd)
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }()
	return nil
}

// complaints are what an updater says when it breaks: 64 KiB of them go to the log, a release that prints more fills no disk.
type complaints struct {
	log   string
	taken int
}

func (c *complaints) Write(p []byte) (int, error) {
	text := p[:min(len(p), 64<<10-c.taken)]
	c.taken += len(text)
	if len(text) == 0 {
		return len(p), nil
	}
	if f, err := os.OpenFile(c.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644); err == nil {
		_, _ = f.Write(text)
		f.Close()
	}
	return len(p), nil
}

// LogFile is the updater's log, under the original's name (docs/protocol/update.md, "Updater command line").
func LogFile(l installer.Layout) string { return filepath.Join(l.Logs(), "AmazonSSMAgent-update.txt") }

// workFolder is a folder that exists as long as the installation does.
func workFolder(l installer.Layout) string {
	if _, err := os.Stat(l.Data()); err == nil {
		return l.Data()
	}
	return ""
}

func firstLine(ctx context.Context, in io.Reader) string {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	got := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(io.LimitReader(in, 4096)).ReadString('\n')
		got <- strings.TrimSpace(line)
	}()
	select {
	case line := <-got:
		return line
	case <-ctx.Done():
		return ""
	}
}
