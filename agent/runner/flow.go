package runner

import (
	"fmt"

	"github.com/ssm-setup/ssm-setup/agent/document"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Exit codes of an action that end the document (spec runcommand 6.3).
const (
	codeEnd     = 168 // as a success
	codeEndFail = 169 // as a failure
)

// What a step's inputs may ask for.
const (
	exit           = "exit"
	successAndExit = "successAndExit"
)

// input reads one of the control keys of a step's inputs: text or a boolean.
func input(s document.Step, key string) string {
	m, _ := s.Inputs.(map[string]any)
	switch v := m[key].(type) {
	case string:
		return v
	case bool:
		return fmt.Sprint(v)
	}
	return ""
}

// runsFinally tells whether a last step wants to run after an exit too.
func runsFinally(s document.Step) bool { return input(s, "finallyStep") == "true" }

// flow applies exit codes and onFailure/onSuccess to a fresh result and tells whether the later steps are skipped.
func flow(s document.Step, r *Result) (ended bool) {
	onFailure := input(s, "onFailure")
	switch {
	case r.Code == codeEnd && r.Status == wire.Success:
		r.StandardError = ""
		r.StandardOutput += "\nStep exited with code 168. Therefore, marking step as succeeded. " +
			"Further document steps will be skipped."
	case r.Code == codeEndFail && r.Status == wire.Failed:
		both(r, "\nStep exited with code 169. Therefore, marking step as Failed. "+
			"Further document steps will be skipped.")
	case r.Status == wire.Failed && (onFailure == exit || onFailure == successAndExit):
		both(r, "\nStep was found to have onFailure property. Further document steps will be skipped.")
		if onFailure == successAndExit {
			r.Status, r.Code = wire.Success, codeEnd
		}
	}
	return ends(s, *r)
}

func both(r *Result, text string) {
	r.StandardOutput += text
	r.StandardError += text
}

// ends tells whether a result ends the document.
func ends(s document.Step, r Result) bool {
	switch r.Status {
	case wire.Success:
		return r.Code == codeEnd || input(s, "onSuccess") == exit
	case wire.Failed:
		f := input(s, "onFailure")
		return r.Code == codeEndFail || f == exit || f == successAndExit
	}
	return false
}
