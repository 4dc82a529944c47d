package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/agent/identity"
)

// answerVariable asks for the answer as data like -json does, of every agent: one that does not know it, an older one or the
// original, answers in prose instead of refusing the command line.
const answerVariable = "SSM_REGISTRATION_ANSWER"

// answer is what a registration answers under -json: one JSON object on standard output, where nothing else is written. Members
// are only ever added.
//
//	{"instanceId":"mi-0123456789abcdef0","region":"eu-west-1"}                        exit code 0
//	{"error":"…InvalidActivation: …","code":"InvalidActivation","kind":"registration","hint":"…"}   the exit code of the kind
type answer struct {
	InstanceID string `json:"instanceId,omitempty"`
	Region     string `json:"region,omitempty"`
	Error      string `json:"error,omitempty"` // why not; may have several lines
	Code       string `json:"code,omitempty"`  // the service's own word for it, where the service said no
	Kind       string `json:"kind,omitempty"`  // of the error, see failureOf
	Hint       string `json:"hint,omitempty"`  // the next step; may be missing
}

// failure is a kind of error with its exit code and the next step.
type failure struct {
	kind string
	code int
	hint string
}

// failureOf tells what kind of failure stopped a registration.
func failureOf(err error) failure {
	var service *cloud.Error
	switch {
	case errors.Is(err, errUsage), errors.Is(err, identity.ErrTags), errors.Is(err, identity.ErrNoContainer), cloud.Code(err) == "InvalidParameter":
		return failure{"usage", 2, "an activation has an id of 36 and a code of at least 20 characters; a role needs the credentials of a container"}
	case errors.Is(err, errRegistered):
		return failure{"refused", 5, "-y registers it anew"}
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return failure{"no space", 10, "free some space and run the same command again"}
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), errors.Is(err, identity.ErrStore):
		return failure{"permission", 7, "run it as root"}
	case errors.As(err, &service) && (service.Status == 0 || service.Status >= 500):
		return failure{"region", 3, "check the region's name, the network and the proxy settings, then run it again"}
	case service != nil:
		return failure{"registration", 8, "check id and code, and that the activation has not expired nor reached its limit"}
	}
	return failure{"failed", 1, ""}
}

// succeed and fail end a registration: as data under -json, else with the original's sentence.
func (c *registration) succeed(id string) int {
	if c.asData() {
		return c.tell(0, answer{InstanceID: id, Region: c.flags.region})
	}
	return c.say(0, "Successfully registered the instance with AWS SSM using Managed instance-id: %s", id)
}

func (c *registration) fail(err error) int {
	if c.asData() {
		f := failureOf(err)
		return c.tell(f.code, answer{Error: err.Error(), Code: cloud.Code(err), Kind: f.kind, Hint: f.hint})
	}
	if errors.Is(err, errCanceled) {
		return c.say(1, "Registration canceled by user")
	}
	return c.say(1, "Registration failed due to %v", err)
}

func (c *registration) asData() bool { return c.flags.json || c.getenv(answerVariable) == "json" }

func (c *registration) tell(code int, a answer) int {
	text, err := json.Marshal(a)
	if err != nil {
		return c.say(1, "%v", err)
	}
	fmt.Fprintln(c.out, string(text))
	return code
}
