package setup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
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

// Variables that ask the installed agent for its answer as data. A variable and not a flag: an older agent, which does not know it,
// answers in prose instead of refusing the command line.
const answerVariable, answerAsData = "SSM_REGISTRATION_ANSWER", "json"

// answer is what the agent prints then: one JSON object on standard output (cmd/ssm-agent-worker, answer.go).
type answer struct {
	InstanceID string `json:"instanceId"`
	Error      string `json:"error"` // why not; may have several lines
	Kind       string `json:"kind"`  // of manifests/fault
	Hint       string `json:"hint"`  // the next step; may be empty
}

// Register has the installed agent register itself and returns the node's id. [ErrRegistration] says that the service refused; other
// errors have the kind that the agent names.
func (i Installation) Register(ctx context.Context, r Registration) (instanceID string, err error) {
	if r.Patience == 0 {
		r.Patience = registrationTime
	}
	ctx, cancel := context.WithTimeout(ctx, r.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, i.Launcher(), r.arguments()...)
	secrets := []string{ActivationID + "=" + r.Activation.ID, ActivationCode + "=" + r.Activation.Code}
	if r.Role != "" { // with a role the component's credentials sign
		secrets = componentCredentials()
	}
	cmd.Env = CleanEnvironment(i.Layout, append(secrets, answerVariable+"="+answerAsData)...)
	cmd.WaitDelay = 2 * time.Second
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", fmt.Errorf("%w: no answer within %s", ErrRegistration, r.Patience)
		}
		return "", refusal(out.Bytes(), errs.Bytes(), err)
	}
	id, _, err := i.Ports.Registered(i.Layout)
	if err == nil && id == "" {
		err = errors.New("the agent registered, but no instance id is in its vault")
	}
	return id, err
}

// refusal turns the answer of an agent that did not register into an error of one line.
func refusal(out, errs []byte, err error) error {
	var a answer
	if json.Unmarshal(out, &a) != nil || a.Error == "" {
		return ProseRefusal(string(out)+string(errs), err)
	}
	text, _, _ := strings.Cut(a.Error, "\n")
	if fault.Kind(a.Kind) == fault.Registration {
		return fmt.Errorf("%w: %s", ErrRegistration, text)
	}
	return fault.Wrap(fault.Kind(a.Kind), fmt.Errorf("registration failed: %s", text), a.Hint)
}

// ProseRefusal reads the answer of an agent that knows no other, such as 9.1.0.0 or an original: its last sentence, and in it the
// service's own word for a refusal.
func ProseRefusal(prose string, err error) error {
	const mark = "Registration failed due to "
	text := strings.TrimSpace(prose)
	if i := strings.LastIndex(text, mark); i >= 0 {
		text, _, _ = strings.Cut(text[i+len(mark):], "\n")
	} else if i := strings.LastIndex(text, "\n"); i >= 0 {
		text = text[i+1:]
	}
	if text == "" {
		return err
	}
	for _, word := range []string{"InvalidActivation", "ActivationExpired", "RegistrationLimitExceeded", "AlreadyRegistered", "Exception"} {
		if strings.Contains(text, word) {
			return fmt.Errorf("%w: %s", ErrRegistration, text)
		}
	}
	return fmt.Errorf("registration failed: %s", text)
}
