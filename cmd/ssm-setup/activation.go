package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"
)

// activation is what a machine registers with. The code is a secret: it is never printed, nor put into an argument list.
type activation struct{ id, code string }

// Variables that carry an activation to this program, and on to the agent's own -register.
const (
	activationID   = "SSM_ACTIVATION_ID"
	activationCode = "SSM_ACTIVATION_CODE"
)

func activationFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "activation-id", Usage: "`ID` of a hybrid activation; also " + activationID},
		&cli.StringFlag{Name: "activation-code", Usage: "its code; it can be seen in the process list, so better use the next flag or " + activationCode},
		&cli.StringFlag{Name: "activation-code-file", Usage: "`FILE` with the code, - for standard input"},
	}
}

// activationOf collects the activation from flags, file and environment; empty when none is given.
func activationOf(c *cli.Context, in io.Reader) (activation, error) {
	a := activation{id: c.String("activation-id"), code: c.String("activation-code")}
	if file := c.String("activation-code-file"); file != "" {
		if a.code != "" {
			return a, usage("--activation-code and --activation-code-file exclude each other")
		}
		var err error
		if a.code, err = firstLine(file, in); err != nil {
			return a, unreadable("the activation code", err, "name a file that can be read, or - for standard input")
		}
	}
	if a.id == "" {
		a.id = os.Getenv(activationID)
	}
	if a.code == "" {
		a.code = os.Getenv(activationCode)
	}
	a.id, a.code = strings.TrimSpace(a.id), strings.TrimSpace(a.code)
	return a, a.check()
}

func (a activation) given() bool { return a.id != "" }

// check refuses what the service would refuse for its form alone (spec identity 3.3).
func (a activation) check() error {
	switch {
	case a.id == "" && a.code == "":
		return nil
	case a.code == "":
		return usage("the activation's code is missing").withHint("--activation-code-file FILE, or the variable " + activationCode)
	case a.id == "":
		return usage("the activation's id is missing").withHint("--activation-id ID, or the variable " + activationID)
	case len(a.id) < 36:
		return usage("an activation id has 36 characters, this one %d", len(a.id))
	case len(a.code) < 20:
		return usage("an activation code has at least 20 characters, this one %d", len(a.code))
	}
	return nil
}

// firstLine reads a secret from a file: its first line, or the value of ActivationCode when the file is what the AWS CLI
// printed.
func firstLine(file string, in io.Reader) (string, error) {
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(bufio.NewReader(io.LimitReader(in, 4096)))
	if err != nil {
		return "", err
	}
	var printed struct{ ActivationCode string }
	if json.Unmarshal(text, &printed) == nil && printed.ActivationCode != "" {
		return printed.ActivationCode, nil
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	if line == "" {
		return "", fmt.Errorf("%s is empty", file)
	}
	return strings.TrimSpace(line), nil
}
