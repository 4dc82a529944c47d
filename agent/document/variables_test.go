package document_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/agent/document"
)

const variableDefs = `{"x":{"type":"String","interpolationType":"ENV_VAR","default":"d"},
	"empty":{"type":"String","interpolationType":"ENV_VAR","default":""},"none":{"type":"String","interpolationType":"ENV_VAR"},
	"list":{"type":"StringList","interpolationType":"ENV_VAR","default":["a"]},"plain":{"type":"String","default":"p"},
	"other":{"type":"String","interpolationType":"SOMETHING","default":"o"},
	"one":{"type":"String","interpolationType":"ENV_VAR","default":"a","allowedValues":["a","b"]}}`

// filled are the inputs of one step of a document with those parameters.
func filled(t *testing.T, schema, action, inputs string, parameters map[string]any) (any, error) {
	t.Helper()
	doc, err := document.Parse([]byte(`{"schemaVersion":"`+schema+`","parameters":`+variableDefs+`,"mainSteps":[
		{"action":"`+action+`","name":"s","inputs":`+
		inputs+`}]}`), document.Options{Parameters: parameters})
	if err != nil {
		return nil, err
	}
	return doc.Steps[0].Inputs, nil
}

func TestAParameterReachesAScriptAsAVariable(t *testing.T) {
	const evil = "\"; rm -rf / #$(id)`id`{{ plain }}"
	const inputs = `{"runCommand":["echo \"{{ x }}\" {{plain}}","{{ x }}"],"workingDirectory":"/{{ x }}","environment":{"A":"{{ x }}"}}`
	for action, reference := range map[string]string{"aws:runShellScript": "${SSM_x}", "aws:runPowerShellScript": "${env:SSM_x}"} {
		got, err := filled(t, "2.2", action, inputs, map[string]any{"x": evil})
		want := map[string]any{"runCommand": []any{`echo "` + reference + `" p`, reference}, "workingDirectory": "/" + evil,
			"environment": map[string]any{"A": evil, "SSM_x": evil, "SSM_empty": "", "SSM_one": "a"}}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v\n%v\nwant\n%v", action, err, got, want)
		}
	}
	got, err := filled(t, "2.2", "aws:runShellScript", `{"runCommand":["x"]}`, nil)
	if env := got.(map[string]any)["environment"]; err != nil || !reflect.DeepEqual(env, map[string]any{"SSM_x": "d", "SSM_empty": "",
		"SSM_one": "a"}) {
		t.Error(env, err)
	}
}

func TestElsewhereAVariablesParameterIsItsValue(t *testing.T) {
	for _, c := range []struct{ schema, action string }{{"2.2", "aws:downloadContent"}, {"2.0", "aws:runShellScript"}} {
		got, err := filled(t, c.schema, c.action, `{"runCommand":["{{ x }}"]}`, map[string]any{"x": "v"})
		if err != nil || !reflect.DeepEqual(got, map[string]any{"runCommand": []any{"v"}}) {
			t.Errorf("%v: %v %v", c, got, err)
		}
	}
}

func TestTheAllowedValuesOfAVariableAreChecked(t *testing.T) {
	_, err := filled(t, "2.2", "aws:runShellScript", `{"runCommand":["x"]}`, map[string]any{"one": "c"})
	if err == nil || !strings.Contains(err.Error(), "parameter value /c/ is not in the allowed list [a b]") {
		t.Error(err)
	}
}

// The variable holds what the store holds, and a map that is a whole environment stays as it was supplied.
func TestAVariableHoldsTheStoredValue(t *testing.T) {
	shared := map[string]any{"A": "b"}
	resolve := func([]string) ([]document.Stored, error) {
		return []document.Stored{{Name: "n", Type: "String", Value: "stored $(id)"}}, nil
	}
	doc, err := document.Parse([]byte(`{"schemaVersion":"2.2","parameters":`+variableDefs+`,"mainSteps":[
		{"action":"aws:runShellScript","name":"s","inputs":{"runCommand":["{{ x }}"],"environment":"{{ map }}"}}]}`),
		document.Options{Parameters: map[string]any{"x": "{{ssm:n}}", "map": shared}, Resolve: resolve})
	if err != nil {
		t.Fatal(err)
	}
	inputs := doc.Steps[0].Inputs.(map[string]any)
	if env := inputs["environment"].(map[string]any); env["SSM_x"] != "stored $(id)" || env["A"] != "b" ||
		!reflect.DeepEqual(inputs["runCommand"], []any{"${SSM_x}"}) || len(shared) != 1 {
		t.Errorf("%v, %v", inputs, shared)
	}
}
