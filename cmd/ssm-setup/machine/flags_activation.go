package machine

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer/setup"
)

func activationFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "activation-id", Usage: "`ID` of a hybrid activation; also " + setup.ActivationID},
		&cli.StringFlag{Name: "activation-code", Usage: "its code; other accounts see it in the list of processes: prefer the next flag or " + setup.ActivationCode},
		&cli.StringFlag{Name: "activation-code-file", Usage: "`FILE` with the code, - for standard input; a code that is typed is not shown"},
	}
}

// activationOf collects the activation from flags, file and environment; empty when none is given.
func activationOf(c *cli.Context, in io.Reader) (setup.Activation, error) {
	a := setup.Activation{ID: c.String("activation-id"), Code: c.String("activation-code")}
	if file := c.String("activation-code-file"); file != "" {
		if a.Code != "" {
			return a, terminal.Usage("--activation-code and --activation-code-file exclude each other")
		}
		var err error
		if file == "-" && terminal.Of(c).Typed() {
			a.Code, err = typedCode(c, "activation code")
		} else if a.Code, err = firstLine(file, in); err != nil {
			err = terminal.Unreadable("the activation code", err, "name a file that can be read, or - for standard input")
		}
		if err != nil {
			return a, err
		}
	}
	if a.ID == "" {
		a.ID = os.Getenv(setup.ActivationID)
	}
	if a.Code == "" {
		a.Code = os.Getenv(setup.ActivationCode)
	}
	if out := terminal.Of(c); a.ID != "" && a.Code == "" && out.Asks() {
		var err error
		if a.Code, err = typedCode(c, "activation code of "+a.ID); err != nil {
			return a, err
		}
	}
	a.ID, a.Code = strings.TrimSpace(a.ID), strings.TrimSpace(a.Code)
	return a, checkActivation(a)
}

// typedCode asks for the code. What is typed is not shown.
func typedCode(c *cli.Context, what string) (string, error) {
	code, err := terminal.Of(c).Secret(c.Context, what)
	if errors.Is(err, terminal.ErrNothingTyped) {
		return "", terminal.Cannot("read", "the activation code", err).
			WithHint("type it, or name a file that holds it: --activation-code-file FILE")
	}
	if err != nil {
		return "", terminal.Cannot("read", "the activation code", err)
	}
	return code, nil
}

// checkActivation refuses what the service would refuse for its form alone (docs/protocol/identity.md, "Register steps").
func checkActivation(a setup.Activation) error {
	switch {
	case a.ID == "" && a.Code == "":
		return nil
	case a.Code == "":
		return terminal.Usage("the activation's code is missing").WithHint("--activation-code-file FILE, or the variable " + setup.ActivationCode)
	case a.ID == "":
		return terminal.Usage("the activation's id is missing").WithHint("--activation-id ID, or the variable " + setup.ActivationID)
	case len(a.ID) < 36:
		return terminal.Usage("an activation id has 36 characters, this one %d", len(a.ID))
	case len(a.Code) < 20:
		return terminal.Usage("an activation code has at least 20 characters, this one %d", len(a.Code))
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
