package plugins

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// language is what differs between the script-like actions.
type language struct {
	file        string                                 // name of the script
	prefix      string                                 // its first bytes
	command     func(script string) (string, []string) // program and arguments
	environment func(env []string) []string            // last word on the environment; nil: none
}

// Exit codes with a meaning of their own (docs/protocol/runcommand.md, "Control flow" and "aws:runShellScript").
const (
	CodeEnd     = 168 // success, and the document ends here
	CodeEndFail = 169 // failure, and the document ends here
	codeKilled  = 137 // what a shell reports for SIGKILL
)

// runScript writes the commands into a file and runs it to its end, its time limit or a cancel.
func runScript(ctx context.Context, c Call, l language) Exit {
	var in scriptInputs
	if !c.decode(&in) {
		return failed()
	}
	if wrong := unfit(in.Environment); wrong != "" {
		fmt.Fprintf(c.Stderr, "failed to run commands: %s", wrong)
		return failed()
	}
	dir := c.Directory
	if id := cleanID(in.ID); !id.IsZero() {
		dir = id.In(dir)
	}
	path, note, err := c.placeScript(filepath.Join(dir, l.file), l.prefix+strings.Join(in.RunCommand, "\n")+"\n")
	if err != nil {
		fmt.Fprintf(c.Stderr, "failed to run commands: %v", err)
		return failed()
	}
	if note != "" {
		defer os.RemoveAll(c.Scratch)
	}
	program, args := l.command(path)
	cmd := exec.Command(program, args...) //nolint:noctx // run ends the whole process group with ctx
	cmd.Dir = c.workingDirectory(in.WorkingDirectory)
	cmd.Env = c.environment(os.Environ(), in.Environment)
	if l.environment != nil {
		cmd.Env = l.environment(cmd.Env)
	}
	ctx, done := context.WithTimeoutCause(ctx, time.Duration(seconds(in.TimeoutSeconds))*time.Second, errTime)
	defer done()
	o := c.exit(ctx, nameNoExec(run(ctx, cmd, c.Stdout, c.Stderr), program, path))
	o.Note = note
	return o
}

// errTime is the cause of a context that ended because the script's time was up.
var errTime = errors.New("time limit")

// longestVariable is what a system takes for one variable, name included, in bytes.
const longestVariable = 128 << 10

// unfit says which variable no process can be given, and why.
func unfit(environment map[string]string) string {
	for _, name := range slices.Sorted(maps.Keys(environment)) {
		switch value := environment[name]; {
		case strings.ContainsRune(name+value, 0):
			return fmt.Sprintf("the variable %q holds a zero byte", name)
		case len(name)+len(value)+2 > longestVariable:
			return fmt.Sprintf("the variable %q is longer than 128 KiB", name)
		}
	}
	return ""
}

// largestInMemory is how long a script may be that is kept in memory, in bytes.
const largestInMemory = 64 << 10

// placeScript writes a script to path, or into the folder in memory where the disk takes nothing; the note says so.
func (c Call) placeScript(path, text string) (at, note string, err error) {
	if err = writeScript(path, text); err == nil {
		return path, "", nil
	}
	os.Remove(path)
	if c.Scratch == "" || len(text) > largestInMemory {
		return "", "", err
	}
	at = filepath.Join(c.Scratch, filepath.Base(path))
	if writeScript(at, text) != nil {
		return "", "", err
	}
	return at, fmt.Sprintf("\nThe agent's disk took nothing: the script ran from memory (%v).\n", err), nil
}

func writeScript(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o700)
}

// workingDirectory: absolute paths as they are; others below downloads if they exist there, else the worker's own.
func (c Call) workingDirectory(asked string) string {
	if filepath.IsAbs(asked) {
		return asked
	}
	dir := filepath.Join(c.CommandDir, "downloads", asked)
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return dir
	}
	return ""
}

// exit is the table of exit codes (docs/protocol/runcommand.md, "aws:runShellScript").
func (c Call) exit(ctx context.Context, err error) Exit {
	var exit *exec.ExitError
	switch {
	case errors.Is(err, errStopped) && errors.Is(context.Cause(ctx), errTime):
		return Exit{Status: wire.TimedOut, Code: stoppedCode}
	case errors.Is(err, errStopped):
		return Exit{Status: wire.Cancelled, Code: stoppedCode}
	case err == nil:
		return Exit{Status: wire.Success}
	case !errors.As(err, &exit):
		fmt.Fprintf(c.Stderr, "failed to run commands: %v", err)
		return failed()
	}
	code := exitCode(exit.ProcessState)
	switch code {
	case rebootCode:
		return Exit{Status: wire.SuccessAndReboot, Code: code}
	case codeKilled:
		return Exit{Status: wire.TimedOut, Code: code}
	case CodeEnd:
		return Exit{Status: wire.Success, Code: code}
	}
	fmt.Fprintf(c.Stderr, "failed to run commands: %v", err)
	return Exit{Status: wire.Failed, Code: code}
}
