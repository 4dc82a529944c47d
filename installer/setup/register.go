package setup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

// Activation is what a machine registers with. The code is a secret: it is never printed, nor put into an argument list.
type Activation struct{ ID, Code string }

// Given tells whether there is one.
func (a Activation) Given() bool { return a.ID != "" }

// Registration says how to register: with a hybrid activation, or with a role and the credentials of the environment.
type Registration struct {
	Region     string
	Activation Activation
	Role       string        // of a Greengrass component; wins over an activation
	Tags       string        // JSON; with a role only
	Patience   time.Duration // 0: the original's 60 s
}

const registrationTime = 60 * time.Second

// arguments are those of the installed agent's -register; what is secret goes into its environment.
func (r Registration) arguments() []string {
	args := []string{"-register", "-y", "-region", r.Region}
	if r.Role != "" {
		args = append(args, "-role", r.Role)
	}
	if r.Tags != "" {
		args = append(args, "-tags", r.Tags)
	}
	return args
}

// Register has the installed agent register itself and returns the node's id. [ErrRegistration] says that the service refused.
func (i Installation) Register(ctx context.Context, r Registration) (instanceID string, err error) {
	if r.Patience == 0 {
		r.Patience = registrationTime
	}
	ctx, cancel := context.WithTimeout(ctx, r.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, i.Launcher(), r.arguments()...)
	if r.Role == "" {
		cmd.Env = CleanEnvironment(i.Layout, ActivationID+"="+r.Activation.ID, ActivationCode+"="+r.Activation.Code)
	}
	cmd.WaitDelay = 2 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", fmt.Errorf("%w: no answer within %s", ErrRegistration, r.Patience)
		}
		return "", refusal(out.String(), err)
	}
	id, _, err := i.Ports.Registered(i.Layout)
	if err == nil && id == "" {
		err = errors.New("the agent registered, but no instance id is in its vault")
	}
	return id, err
}

var awsCode = regexp.MustCompile(`\b(InvalidActivation|ActivationExpired|RegistrationLimitExceeded|AlreadyRegistered|[A-Z][A-Za-z]+Exception)\b`)

// refusal turns what the agent printed into an error: its own words, one line.
func refusal(out string, err error) error {
	const mark = "Registration failed due to "
	text := strings.TrimSpace(out)
	if i := strings.LastIndex(text, mark); i >= 0 {
		text, _, _ = strings.Cut(text[i+len(mark):], "\n")
	} else if i := strings.LastIndex(text, "\n"); i >= 0 {
		text = text[i+1:]
	}
	if text == "" {
		return err
	}
	if awsCode.MatchString(text) {
		return fmt.Errorf("%w: %s", ErrRegistration, text)
	}
	return fmt.Errorf("registration failed: %s", text)
}
