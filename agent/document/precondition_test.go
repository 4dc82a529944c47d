package document_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/agent/document"
)

// step parses one 2.2 step with that precondition; parameter p is "Yes", other is "no".
func step(t *testing.T, precondition string) document.Step {
	t.Helper()
	doc, err := document.Parse([]byte(`{"schemaVersion":"2.2","parameters":{"p":{"type":"String"},"other":{"type":"String","default":"no"}},
		"mainSteps":[{"action":"a","name":"s","precondition":`+precondition+`}]}`),
		document.Options{Parameters: map[string]any{"p": "Yes"}})
	if err != nil {
		t.Fatal(err)
	}
	return doc.Steps[0]
}

func TestWhichPreconditionsHold(t *testing.T) {
	for _, c := range []struct{ precondition, unsatisfied, unrecognised string }{
		{`{}`, "", ""},
		{`null`, "", ""},
		{`{"StringEquals":["platformType","Linux"]}`, "", ""},
		{`{"StringEquals":["LINUX","platformType"]}`, "", ""},
		{`{"StringEquals":["platformType","Windows"]}`, `"StringEquals": [platformType, Windows]`, ""},
		{`{"StringEquals":["{{ p }}","Yes"]}`, "", ""},
		{`{"StringEquals":["{{ p }}","yes"]}`, `"StringEquals": [{{ p }}, yes]`, ""},
		{`{"StringEquals":["{{ p }}","{{ other }}"]}`, `"StringEquals": [{{ p }}, {{ other }}]`, ""},
		{`{"StringEquals":["v-{{ p }}","v-Yes"]}`, "", ""},
		{`{"StringLike":["platformType","Linux"]}`, "", `unrecognized operator: "StringLike"`},
		{`{"StringEquals":["platformType"]}`, "", `"StringEquals": operator accepts exactly 2 arguments`},
		{`{"StringEquals":["a","b","c"]}`, "", `"StringEquals": operator accepts exactly 2 arguments`},
		{`{"StringEquals":["platformType","platformType"]}`, "", `"StringEquals": [platformType platformType]`},
		{`{"StringEquals":["{{ p }}","{{ p }}"]}`, "", `"StringEquals": operator's arguments can't be identical`},
		{`{"StringEquals":["{{ssm:x}}","platformType"]}`, "", `"StringEquals": operator's arguments can't contain SSM parameters`},
		{`{"StringEquals":["{{ssm-secure:x}}","{{p}}"]}`, "", `"StringEquals": operator's arguments can't contain secure SSM parameters`},
		{`{"StringEquals":["platformType","{{ p }}"]}`, "", `"StringEquals": the second argument for the platformType variable can't contain document parameters`},
		{`{"StringEquals":["{{ p }}","platformType"]}`, "", `"StringEquals": the second argument for the platformType variable can't contain document parameters`},
		{`{"StringEquals":["a","b"]}`, "", `"StringEquals": at least one of operator's arguments must contain a valid document parameter`},
		{`{"StringEquals":["{{ unknown }}","b"]}`, "", `"StringEquals": at least one of operator's arguments must contain a valid document parameter`},
		{`{"Odd":["x"],"StringEquals":["platformType","MacOS"]}`, `"StringEquals": [platformType, MacOS]`, `unrecognized operator: "Odd"`},
	} {
		t.Run(c.precondition, func(t *testing.T) {
			v := step(t, c.precondition).Check("linux")
			if got := strings.Join(v.Unsatisfied, ", "); got != c.unsatisfied {
				t.Errorf("unsatisfied %s", got)
			}
			if got := strings.Join(v.Unrecognised, ", "); got != c.unrecognised {
				t.Errorf("unrecognised %s", got)
			}
			if v.Holds() != (c.unsatisfied == "" && c.unrecognised == "") {
				t.Error("verdict does not agree with its lists")
			}
		})
	}
}

func TestUnsatisfiedAndUnrecognisedPreconditionsAreListed(t *testing.T) {
	v := step(t, `{"Odd":["x"],"StringEquals":["platformType","MacOS"]}`).Check("linux")
	if got := v.List(); got != `"StringEquals": [platformType, MacOS], unrecognized operator: "Odd"` {
		t.Errorf("list %s", got)
	}
}

func TestAListAsAnArgumentRejectsTheDocument(t *testing.T) {
	_, err := document.Parse([]byte(`{"schemaVersion":"2.2","mainSteps":[{"action":"a","name":"s","precondition":{"StringEquals":["{{ l }}","x"]}}]}`),
		document.Options{Parameters: map[string]any{"l": []any{"a"}}})
	if err == nil || !strings.Contains(err.Error(), "a list or map parameter cannot be an argument of a precondition") {
		t.Errorf("got %v", err)
	}
}

// store answers from a table by full reference and remembers the calls.
type store struct {
	values map[string]document.Stored
	calls  [][]string
	err    error
}

func (s *store) get(names []string) (out []document.Stored, err error) {
	s.calls = append(s.calls, names)
	for _, n := range names {
		if v, ok := s.values[n]; ok {
			out = append(out, v)
		}
	}
	return out, s.err
}

func TestReferencesToTheParameterStore(t *testing.T) {
	values := map[string]document.Stored{
		"x":    {Name: "x", Type: "String", Value: "five", Version: 5},
		"x:3":  {Name: "x", Type: "String", Value: "three", Version: 3},
		"list": {Name: "list", Type: "StringList", Value: "a,b", Version: 1},
		"s1":   {Name: "s1", Type: "SecureString"},
		"s2":   {Name: "s2", Type: "SecureString"},
	}
	for _, c := range []struct{ inputs, want, wrong string }{
		{`"{{ssm:x:3}}/{{ ssm:x }}"`, `"three/five"`, ""},
		{`["{{ssm:list}}","c"]`, `["a","b","c"]`, ""},
		{`["x{{ssm:list}}"]`, ``, "Parameter list of type StringList cannot be used as a String"},
		{`{"a":"{{ssm:list}}"}`, ``, "Parameter list of type StringList cannot be used as a String"},
		{`"{{ssm:s1}}{{ssm:s2}}"`, ``, "Parameters [s1 s2] of type SecureString are not supported"},
		{`"{{ssm:unknown}}{{ssm:x}}"`, ``, "Input contains invalid parameters [unknown]"},
		{`"{{ p }}"`, `"got five"`, ""},
	} {
		t.Run(c.inputs, func(t *testing.T) {
			s := &store{values: values}
			doc, err := document.Parse([]byte(text22(c.inputs, `{}`)),
				document.Options{Resolve: s.get, Parameters: map[string]any{"p": "got {{ssm:x}}"}})
			if got := message(err); got != c.wrong {
				t.Fatalf("got %s", got)
			}
			if c.wrong == "" && asJSON(t, doc.Steps[0].Inputs) != asJSON(t, value(t, c.want)) {
				t.Errorf("got %v", doc.Steps[0].Inputs)
			}
		})
	}
}

func TestTheStoreIsAskedForTenNamesAtATime(t *testing.T) {
	s := &store{values: map[string]document.Stored{}}
	var inputs []string
	for _, n := range strings.Split("abcdefghijk", "") {
		s.values[n] = document.Stored{Name: n, Type: "String", Value: "v" + n, Version: 1}
		inputs = append(inputs, `"{{ssm:`+n+`}} {{ssm:`+n+`}}"`)
	}
	if _, err := document.Parse([]byte(text22("["+strings.Join(inputs, ",")+"]", `{}`)), document.Options{Resolve: s.get}); err != nil {
		t.Fatal(err)
	}
	if len(s.calls) != 2 || len(s.calls[0]) != 10 || len(s.calls[1]) != 1 {
		t.Errorf("calls %v", s.calls)
	}
}

func TestAFailingStoreRejectsTheDocument(t *testing.T) {
	s := &store{err: errors.New("no way")}
	_, err := document.Parse([]byte(text22(`"{{ssm:x}}"`, `{}`)), document.Options{Resolve: s.get})
	if got := message(err); got != "Encountered error while calling GetParameters API. Error: no way" {
		t.Errorf("got %s", got)
	}
}
