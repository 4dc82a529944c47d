package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
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
	InstanceID string     `json:"instanceId,omitempty"`
	Region     string     `json:"region,omitempty"`
	Error      string     `json:"error,omitempty"` // why not; may have several lines
	Code       string     `json:"code,omitempty"`  // the service's own word for it, where the service said no
	Kind       fault.Kind `json:"kind,omitempty"`  // of the error
	Hint       string     `json:"hint,omitempty"`  // the next step; may be missing
}

// succeed and fail end a registration: as data under -json, else with the original's sentence.
func (c *registration) succeed(id string) int {
	if c.asData() {
		return c.printData(0, answer{InstanceID: id, Region: c.flags.region})
	}
	return c.print(0, "Successfully registered the instance with AWS SSM using Managed instance-id: %s", id)
}

func (c *registration) fail(err error) int {
	if c.asData() {
		kind := fault.Of(err)
		return c.printData(kind.ExitCode(), answer{Error: err.Error(), Code: cloud.Code(err), Kind: kind, Hint: fault.HintOf(err)})
	}
	if errors.Is(err, errCanceled) {
		return c.print(1, "Registration canceled by user")
	}
	return c.print(1, "Registration failed due to %v", err)
}

func (c *registration) asData() bool { return c.flags.json || c.getenv(answerVariable) == "json" }

func (c *registration) printData(code int, a answer) int {
	text, err := json.Marshal(a)
	if err != nil {
		return c.print(1, "%v", err)
	}
	fmt.Fprintln(c.out, string(text))
	return code
}
