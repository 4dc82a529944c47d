package plugins

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// longestFirstLine is how much of a script Linux reads to find its interpreter, in bytes.
const longestFirstLine = 256

// interpreter is how a script is started on a file system that is mounted noexec: the program that its first line names, else sh, reads
// it. The system would start the same with the same arguments, had it the right to.
func interpreter(script string) (string, []string) {
	line := firstLine(script)
	if rest, ok := strings.CutPrefix(line, "#!"); ok && strings.TrimSpace(rest) != "" {
		program, argument, _ := strings.Cut(strings.TrimSpace(rest), " ")
		if argument = strings.TrimSpace(argument); argument != "" {
			return program, []string{argument, script}
		}
		return program, []string{script}
	}
	sh, err := exec.LookPath("sh")
	if err != nil {
		sh = "sh"
	}
	return sh, []string{script}
}

func firstLine(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	text, _ := io.ReadAll(io.LimitReader(f, longestFirstLine))
	line, _, _ := bytes.Cut(text, []byte{'\n'})
	return strings.ReplaceAll(string(line), "\t", " ")
}

// codeNotExecutable is what a shell reports for a program that it may not execute.
const codeNotExecutable = 126

// nameNoExec adds to the error of a script that could not be run that its interpreter lies where nothing can be executed.
func nameNoExec(err error, program, script string) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == codeNotExecutable {
		program, _ = interpreter(script)
	} else if !errors.Is(err, os.ErrPermission) {
		return err
	}
	if !host.NoExec(program) {
		return err
	}
	return fmt.Errorf("%w: %s lies on a file system that is mounted noexec", err, program)
}
