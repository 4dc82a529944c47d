package runner

import (
	"fmt"

	"github.com/ssm-setup/ssm-setup/agent/document"
	"github.com/ssm-setup/ssm-setup/agent/plugins"
	"github.com/ssm-setup/ssm-setup/regions/wire"
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
	case r.Code == plugins.CodeEnd: // the code alone decides, also where another element of a list failed
		r.Status, r.StandardError = wire.Success, ""
		r.StandardOutput += "\nStep exited with code 168. Therefore, marking step as succeeded. " +
			"Further document steps will be skipped."
	case r.Code == plugins.CodeEndFail:
		r.Status = wire.Failed
		both(r, "\nStep exited with code 169. Therefore, marking step as Failed. "+
			"Further document steps will be skipped.")
	case r.Status == wire.Failed && (onFailure == exit || onFailure == successAndExit):
		both(r, "\nStep was found to have onFailure property. Further document steps will be skipped.")
		if onFailure == successAndExit {
			r.Status, r.Code = wire.Success, plugins.CodeEnd
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
		return r.Code == plugins.CodeEnd || input(s, "onSuccess") == exit
	case wire.Failed:
		f := input(s, "onFailure")
		return r.Code == plugins.CodeEndFail || f == exit || f == successAndExit
	}
	return false
}
