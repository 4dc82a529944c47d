package runner

import (
	"fmt"

	"github.com/ssm-setup/ssm-setup/agent/document"
	"github.com/ssm-setup/ssm-setup/agent/plugins"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// barrier is why a step does not run: Skipped or Failed with a text. The zero value lets it run.
type barrier struct{ status, text string }

// gate decides whether a step runs, by the table of docs/protocol/runcommand.md, "Known, supported, registered"; the order of the
// cases counts. ended: an earlier step ended the document. An action that the platform has and this agent lacks fails in every
// schema: to skip it would report a success that never was.
func (e *Engine) gate(s document.Step, ended bool) (plugins.Action, barrier) {
	skip := func(text string) barrier { return barrier{wire.Skipped, text} }
	fail := func(text string) barrier { return barrier{wire.Failed, text} }
	action, known := e.find(s.Action)
	supported := known && action.Supported(e.System)
	verdict := s.Check(e.platform())

	unknownText := fmt.Sprintf("Plugin with name %s is not supported by this version of ssm agent, "+
		"please update to latest version. Step name: %s", s.Action, s.ID)
	switch {
	case ended:
		return action, skip(fmt.Sprintf("Plugin with name %s and id %s skipped due to prior step with an exit condition",
			s.Action, s.ID))
	case !document.Conditional(e.Job.Schema):
		switch {
		case !known:
			return action, fail(unknownText)
		case !supported:
			return action, fail(fmt.Sprintf("Plugin with name %s is not supported in current platform. Step name: %s",
				s.Action, s.ID))
		case len(s.Preconditions) > 0:
			return action, fail(fmt.Sprintf("Precondition is not supported for document schema version prior to 2.2. "+
				"Step name: %s", s.ID))
		}
	case verdict.Holds() && !known:
		return action, fail(unknownText)
	case !supported:
		return action, skip(fmt.Sprintf("Step execution skipped due to unsupported plugin: %s. Step name: %s",
			s.Action, s.ID))
	case len(verdict.Unsatisfied) > 0:
		return action, skip(fmt.Sprintf("Step execution skipped due to unsatisfied preconditions: '%s'. Step name: %s",
			verdict.List(), s.ID))
	case len(verdict.Unrecognised) > 0:
		return action, fail(fmt.Sprintf("Unrecognized precondition(s): '%s', please update agent to latest version. "+
			"Step name: %s", verdict.List(), s.ID))
	}
	if action.Run == nil {
		return action, fail(fmt.Sprintf("Plugin with name %s not found. Step name: %s", s.Action, s.ID))
	}
	return action, barrier{}
}

func (e *Engine) find(name string) (plugins.Action, bool) {
	for _, a := range e.Actions {
		if a.Name == name {
			return a, true
		}
	}
	return plugins.Action{}, false
}

// platform is the value of platformType in preconditions.
func (e *Engine) platform() string {
	switch {
	case e.Job.Machine.PlatformType != "":
		return e.Job.Machine.PlatformType
	case e.System == "darwin":
		return "macos"
	case e.System == "windows":
		return "windows"
	}
	return "linux"
}
