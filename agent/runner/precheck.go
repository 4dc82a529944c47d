package runner

import (
	"fmt"

	"github.com/ssm-setup/ssm-setup/agent/document"
	"github.com/ssm-setup/ssm-setup/agent/plugins"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// refusal is why a step does not run: Skipped or Failed with a text. The zero value lets it run.
type refusal struct{ status, text string }

// precheck decides whether a step runs, by the table of docs/protocol/runcommand.md, "Known, supported, registered"; the order of the
// cases counts. ended: an earlier step ended the document. An action that the platform has and this agent lacks fails in every
// schema: to skip it would report a success that never was.
func (q *Sequencer) precheck(s document.Step, ended bool) (plugins.Action, refusal) {
	skip := func(text string) refusal { return refusal{wire.Skipped, text} }
	fail := func(text string) refusal { return refusal{wire.Failed, text} }
	action, known := q.find(s.Action)
	supported := known && action.Supported(q.System)
	checked := s.Check(q.platform())

	unknownText := fmt.Sprintf("Plugin with name %s is not supported by this version of ssm agent, "+
		"please update to latest version. Step name: %s", s.Action, s.ID)
	switch {
	case ended:
		return action, skip(fmt.Sprintf("Plugin with name %s and id %s skipped due to prior step with an exit condition",
			s.Action, s.ID))
	case !document.Conditional(q.Job.Schema):
		switch {
		case !known:
			return action, fail(unknownText)
		case !supported && action.Registered(q.System):
			return action, fail(fmt.Sprintf("Plugin with name %s is not supported in current platform. Step name: %s",
				s.Action, s.ID))
		case !supported:
			return action, fail(fmt.Sprintf("Plugin with name %s not found. Step name: %s", s.Action, s.ID))
		case len(s.Preconditions) > 0:
			return action, fail(fmt.Sprintf("Precondition is not supported for document schema version prior to 2.2. "+
				"Step name: %s", s.ID))
		}
	case checked.Holds() && !known:
		return action, fail(unknownText)
	case !supported:
		return action, skip(fmt.Sprintf("Step execution skipped due to unsupported plugin: %s. Step name: %s",
			s.Action, s.ID))
	case len(checked.Unsatisfied) > 0:
		return action, skip(fmt.Sprintf("Step execution skipped due to unsatisfied preconditions: '%s'. Step name: %s",
			checked.List(), s.ID))
	case len(checked.Unrecognised) > 0:
		return action, fail(fmt.Sprintf("Unrecognized precondition(s): '%s', please update agent to latest version. "+
			"Step name: %s", checked.List(), s.ID))
	}
	if action.Run == nil {
		return action, fail(fmt.Sprintf("Plugin with name %s not found. Step name: %s", s.Action, s.ID))
	}
	return action, refusal{}
}

func (q *Sequencer) find(name string) (plugins.Action, bool) {
	for _, a := range q.Actions {
		if a.Name == name {
			return a, true
		}
	}
	return plugins.Action{}, false
}

// platform is the value of platformType in preconditions.
func (q *Sequencer) platform() string {
	switch {
	case q.Job.Machine.PlatformType != "":
		return q.Job.Machine.PlatformType
	case q.System == "darwin":
		return "macos"
	case q.System == "windows":
		return "windows"
	}
	return "linux"
}
