package document

import (
	"maps"
	"strings"
)

// Parameters with interpolationType ENV_VAR reach a script as environment variables, so that no value of a caller becomes program text
// (docs/protocol/runcommand.md, "Parameters as environment variables"). What is ours, where the original's rules are not known:
//
//   - the attribute counts in documents 2.2 for parameters of type String; everywhere else it is ignored;
//   - in the commands of a script, {{ name }} becomes a reference to the variable, never the value; in the other inputs of the step,
//     and in other actions, it stays the value, whose allowed pattern and values were checked before;
//   - a parameter that was not supplied and has no default is no variable;
//   - a variable that only the agent may set, such as SSM_COMMAND_ID, is set after these.
const (
	environmentVariable = "ENV_VAR"
	variablePrefix      = "SSM_"
)

// asVariable tells whether the parameter is one of them.
func (d *Definition) asVariable(schema string) bool {
	return d != nil && Conditional(schema) && d.Type == "String" && d.InterpolationType == environmentVariable
}

// variables are the values of such parameters, by the parameters' names.
func (s *source) variables(values map[string]any) map[string]string {
	found := map[string]string{}
	for name, def := range s.Parameters {
		if v := values[name]; v != nil && def.asVariable(s.SchemaVersion) {
			found[name] = asText(v)
		}
	}
	return found
}

// referenceOf says how the scripts of an action name variables: what stands before and after the name. Other actions run no scripts.
func referenceOf(action string) (before, after string, ok bool) {
	switch action {
	case "aws:runShellScript":
		return "${" + variablePrefix, "}", true
	case "aws:runPowerShellScript":
		return "${env:" + variablePrefix, "}", true
	}
	return "", "", false
}

// useVariables lays the variables over a script's inputs, which were written and have been filled.
func useVariables(action string, written, filled any, sub substitution, variables map[string]string) any {
	before, after, ok := referenceOf(action)
	if !ok || len(variables) == 0 {
		return filled
	}
	references := substitution{values: maps.Clone(sub.values), odd: sub.odd}
	for name := range variables {
		references.values[name] = before + name + after
	}
	switch written := written.(type) {
	case []any:
		list, _ := filled.([]any)
		for i := range min(len(written), len(list)) {
			list[i] = useVariables(action, written[i], list[i], sub, variables)
		}
	case map[string]any:
		inputs, _ := filled.(map[string]any)
		for key, v := range written {
			if strings.EqualFold(key, "runCommand") && inputs != nil {
				inputs[key] = references.value(v)
			}
		}
		addEnvironment(inputs, variables)
	}
	return filled
}

// addEnvironment puts the variables into the inputs' environment. One that is no object is left alone: the action refuses it.
func addEnvironment(inputs map[string]any, variables map[string]string) {
	at := "environment"
	for key := range inputs {
		if strings.EqualFold(key, at) {
			at = key
		}
	}
	if inputs[at] == nil && inputs != nil {
		inputs[at] = map[string]any{}
	}
	if environment, ok := inputs[at].(map[string]any); ok {
		environment = maps.Clone(environment) // it may be the value of a parameter
		for name, value := range variables {
			environment[variablePrefix+name] = value
		}
		inputs[at] = environment
	}
}
