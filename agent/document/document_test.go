package document_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/agent/document"
)

// parse reads a 2.2 document of one step with these inputs and parameter definitions and returns the step's inputs.
func parse(t *testing.T, inputs, definitions string, values map[string]any) (any, error) {
	t.Helper()
	doc, err := document.Parse([]byte(text22(inputs, definitions)), document.Options{Parameters: values})
	if err != nil {
		return nil, err
	}
	return doc.Steps[0].Inputs, nil
}

func text22(inputs, definitions string) string {
	return `{"schemaVersion":"2.2","parameters":` + definitions + `,"mainSteps":[{"action":"aws:runShellScript",` +
		`"name":"one","inputs":` + inputs + `}]}`
}

func value(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestWhichSchemasAreKnown(t *testing.T) {
	const unsupported = "Document with schema version 3.0 is not supported by this version of ssm agent, please update to latest version"
	for _, c := range []struct{ name, content, wrong string }{
		{"2.2", `{"schemaVersion":"2.2","mainSteps":[{"action":"a","name":"b"}]}`, ""},
		{"2.0.3", `{"schemaVersion":"2.0.3","mainSteps":[{"action":"a","name":"b"}]}`, ""},
		{"keys in any case", `{"SchemaVersion":"2.2","MAINSTEPS":[{"Action":"a","NAME":"b"}]}`, ""},
		{"1.2", `{"schemaVersion":"1.2","runtimeConfig":{"aws:x":{"properties":[]}}}`, ""},
		{"3.0", `{"schemaVersion":"3.0","mainSteps":[]}`, unsupported},
		{"2.1", `{"schemaVersion":"2.1"}`, strings.Replace(unsupported, "3.0", "2.1", 1)},
		{"2.2 without steps", `{"schemaVersion":"2.2"}`, "Unsupported schema format"},
		{"2.2 with the body of 1.2", `{"schemaVersion":"2.2","runtimeConfig":{"aws:x":{}}}`, "Unsupported schema format"},
		{"1.2 without plugins", `{"schemaVersion":"1.2","runtimeConfig":{}}`, "Unsupported schema format"},
		{"no JSON", `{`, "encountered error while parsing input - internal error unexpected EOF"},
		{"nothing", ``, "encountered error while parsing input - internal error unexpected end of JSON input"},
		{"an ignored key of the wrong type", `{"schemaVersion":"2.2","mainSteps":[{"action":"a","name":"b","timeoutSeconds":"5"}]}`,
			"encountered error while parsing input - internal error json: cannot unmarshal string into mainSteps.timeoutSeconds of type int"},
		{"steps that are no list", `{"schemaVersion":"2.2","mainSteps":{}}`,
			"encountered error while parsing input - internal error json: cannot unmarshal object into mainSteps of type array"},
		{"a plugin that is no object", `{"schemaVersion":"1.2","runtimeConfig":{"aws:x":"y"}}`,
			"encountered error while parsing input - internal error json: cannot unmarshal string into runtimeConfig of type object"},
		{"a pattern that is no text", `{"schemaVersion":"2.2","parameters":{"p":{"allowedPattern":5}}}`,
			"encountered error while parsing input - internal error json: cannot unmarshal number into parameters.allowedPattern of type string"},
		{"a list for a document", `[]`, "encountered error while parsing input - internal error json: cannot unmarshal array into the document of type object"},
		{"unknown keys", `{"schemaVersion":"2.2","mainSteps":[{"action":"a","name":"b","isEnd":true,"nextStep":"c"}]}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := document.Parse([]byte(c.content), document.Options{})
			if c.wrong == "" && err != nil || c.wrong != "" && (err == nil || !strings.HasPrefix(err.Error(), c.wrong)) {
				t.Errorf("got %v, want %q", err, c.wrong)
			}
		})
	}
}

// A payload of {} brings no document at all.
func TestAMessageWithoutADocumentHasNoKnownSchema(t *testing.T) {
	const want = "Document with schema version  is not supported by this version of ssm agent, please update to latest version"
	if _, err := document.Parse(nil, document.Options{}); err == nil || err.Error() != want {
		t.Error(err)
	}
}

func TestStepsKeepTheirNamesAndOrder(t *testing.T) {
	doc, err := document.Parse([]byte(`{"schemaVersion":"1.2","runtimeConfig":{
		"aws:z":{"properties":[{"id":"0.aws:z"}],"settings":{"s":1}},"aws:a":{"properties":"text"}}}`), document.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []document.Step{
		{ID: "aws:z", Action: "aws:z", Inputs: value(t, `[{"id":"0.aws:z"}]`), Settings: value(t, `{"s":1}`)},
		{ID: "aws:a", Action: "aws:a", Inputs: "text"},
	}
	if !reflect.DeepEqual(doc.Steps, want) {
		t.Errorf("steps %+v", doc.Steps)
	}
}

func TestParametersAreSubstituted(t *testing.T) {
	const defs = `{"p1":{"type":"String"},"p2":{"type":"String","default":"two"},"list":{"type":"StringList","default":["a","b"]},
		"map":{"type":"StringMap","default":{"k":"<v>"}},"none":{"type":"String"},"odd-name":{"type":"StringList","default":["o"]},
		"n":{"type":"Integer","default":3600}}`
	for _, c := range []struct{ name, inputs, want string }{
		{"default", `"{{ p2 }}"`, `"two"`},
		{"supplied wins", `"{{p1}}"`, `"one {{p2}}"`},
		{"whole list keeps its type", `{"a":"{{\tlist }}"}`, `{"a":["a","b"]}`},
		{"list inside text is JSON", `"x {{ list }}"`, `"x [\"a\",\"b\"]"`},
		{"map inside text is JSON, nothing escaped", `"x{{map}}"`, `"x{\"k\":\"<v>\"}"`},
		{"number inside text", `"t={{ n }}"`, `"t=3600"`},
		{"whole number", `"{{ n }}"`, `3600`},
		{"null", `{"a":"{{ none }}","b":"={{ none }}"}`, `{"a":null,"b":"=null"}`},
		{"values are not looked at again", `"{{ p1 }} {{ p2 }}"`, `"one {{p2}} two"`},
		{"a list inside text escapes as the original does", `"x {{amp}}"`, `"x [\"a\\u0026b\",\"\\u003cc\\u003e\"]"`},
		{"unknown stays", `"{{ unknown }} {{p2}}"`, `"{{ unknown }} two"`},
		{"three braces", `"{{{p2}}}"`, `"{two}"`},
		{"not closed", `"{{ p2 }"`, `"{{ p2 }"`},
		{"list in list is nested", `["{{ list }}"]`, `[["a","b"]]`},
		{"map keys stay", `{"{{ p2 }}":1}`, `{"{{ p2 }}":1}`},
		{"odd name: its default, always as text", `["{{ odd-name }}"]`, `["[\"o\"]"]`},
		{"outside space makes it text", `" {{ list }}"`, `" [\"a\",\"b\"]"`},
		{"single dollar", `"dir {{ win }}"`, `"dir C:\\$Recycle.Bin"`},
		{"two dollars become one inside text", `"x {{ cash }}"`, `"x $1"`},
		{"but not in the whole", `"{{ cash }}"`, `"$$1"`},
		{"undeclared but supplied", `"{{ extra }}"`, `"e"`},
		{"supplied under an odd name", `"{{ not-me }}"`, `"{{ not-me }}"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parse(t, c.inputs, defs, map[string]any{"p1": "one {{p2}}", "win": `C:\$Recycle.Bin`, "cash": "$$1",
				"extra": "e", "amp": []any{"a&b", "<c>"}, "not-me": "x", "odd-name": []any{"o"}})
			if err != nil {
				t.Fatal(err)
			}
			if want := value(t, c.want); !reflect.DeepEqual(got, want) {
				t.Errorf("got %#v, want %#v", got, want)
			}
		})
	}
}

func TestASuppliedParameterIsNeverReplacedByItsDefault(t *testing.T) {
	for _, name := range []string{"my_name", "my-name", "my.name"} {
		defs := `{"` + name + `":{"type":"String","default":"d"},"n-o":{"type":"Integer","default":5},"none_":{"type":"String"}}`
		_, err := parse(t, `"{{ `+name+` }}"`, defs, map[string]any{name: "given"})
		if err == nil || !strings.Contains(err.Error(), "the parameter "+name+" cannot be supplied") {
			t.Errorf("%s: %v", name, err)
		}
		got, err := parse(t, `"{{ `+name+` }}"`, defs, map[string]any{name: "d", "n-o": 5.0, "none_": nil})
		if err != nil || got != "d" {
			t.Errorf("%s with the default sent along: %v, %v", name, got, err)
		}
	}
	if _, err := parse(t, `{}`, `{"none_":{"type":"String"}}`, map[string]any{"none_": "given"}); err == nil {
		t.Error("a value for a parameter without default was ignored")
	}
}

func TestDroppedNamesAreReported(t *testing.T) {
	doc, err := document.Parse([]byte(text22(`{}`, `{}`)), document.Options{Parameters: map[string]any{"b_": 1, "a-": 2, "ok": 3}})
	if err != nil || !reflect.DeepEqual(doc.Dropped, []string{"a-", "b_"}) {
		t.Errorf("dropped %v, %v", doc.Dropped, err)
	}
}

func TestAllowedPatternsAreChecked(t *testing.T) {
	const shape = "all errors during param validation errors: error thrown in 'AllowedRegexParamValidator' while validating parameter /p/: "
	for _, c := range []struct{ name, definition, supplied, wrong string }{
		{"matches", `{"type":"String","allowedPattern":"^[0-9]{1,6}$"}`, `"3600"`, ""},
		{"anywhere", `{"type":"String","allowedPattern":"6"}`, `"3600"`, ""},
		{"does not", `{"type":"String","allowedPattern":"^a$"}`, `"b"`, shape + "parameter value /b/ does not match the allowed pattern /^a$/"},
		{"one of a list", `{"type":"StringList","allowedPattern":"^a$"}`, `["a","b"]`, shape +
			"parameter value /b/ does not match the allowed pattern /^a$/"},
		{"map as JSON", `{"type":"StringMap","allowedPattern":"^{\"k\":1}$"}`, `{"k":1}`, ""},
		{"a map that does not", `{"type":"StringMap","allowedPattern":"^x$"}`, `{"k":1,"j":"a b"}`, shape +
			"parameter value /map[j:a b k:1]/ does not match the allowed pattern /^x$/"},
		{"a list of maps", `{"type":"MapList","allowedPattern":"^x$"}`, `[{"k":"v"}]`, shape +
			"parameter value /map[k:v]/ does not match the allowed pattern /^x$/"},
		{"default is checked too", `{"type":"String","default":"b","allowedPattern":"^a$"}`, ``, shape +
			"parameter value /b/ does not match the allowed pattern /^a$/"},
		{"no value", `{"type":"String","allowedPattern":"a"}`, ``, shape + "invalid parameter type String with parameter value <nil>"},
		{"no pattern", `{"type":"String","allowedPattern":"("}`, `"x"`, shape + "encountered error while compiling allowed pattern - internal error: error parsing regexp: missing closing ): `(`"},
		{"allowedValues is the service's business", `{"type":"String","allowedValues":["x"]}`, `"y"`, ""},
		{"and so are lengths", `{"type":"String","minChars":5,"maxChars":"6"}`, `"y"`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			supplied := map[string]any{}
			if c.supplied != "" {
				supplied["p"] = value(t, c.supplied)
			}
			_, err := parse(t, `{}`, `{"p":`+c.definition+`}`, supplied)
			if got := message(err); got != c.wrong {
				t.Errorf("got  %s\nwant %s", got, c.wrong)
			}
		})
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestADocumentRunByADocumentIsCheckedStrictly(t *testing.T) {
	for _, c := range []struct{ name, definition, supplied, wrong string }{
		{"too short", `{"type":"String","minChars":3}`, `"ab"`, "'MinMaxCharParamValidator' while validating parameter /p/: parameter value /ab/ is less than the min char limit /3/"},
		{"too long", `{"type":"StringList","maxChars":"1"}`, `["a","bc"]`, "'MinMaxCharParamValidator' while validating parameter /p/: parameter value /bc/ is exceeding the max chars /1/"},
		{"too few", `{"type":"StringList","minItems":2}`, `["a"]`, "'MinMaxItemParamValidator' while validating parameter /p/: parameter value list length /1/ is less the min item count"},
		{"too many", `{"type":"StringList","maxItems":1}`, `["a","b"]`, "'MinMaxItemParamValidator' while validating parameter /p/: parameter value list length /1/ has exceeded the max item count"},
		{"not allowed", `{"type":"String","allowedValues":["a","b"]}`, `"c"`, "'AllowedValueParamValidator' while validating parameter /p/: parameter value /c/ is not in the allowed list [a b]"},
		{"integer", `{"type":"Integer","default":3}`, `4`, "'AllowedValueParamValidator' while validating parameter /p/: parameter value /4/ not equal to default /3/ for Integer"},
		{"huge", `{"type":"Integer"}`, `1e300`, "'AllowedValueParamValidator' while validating parameter /p/: out-of-boundary error for parameter value /1e+300/ for type Integer "},
		{"no number", `{"type":"Integer"}`, `"x"`, "'AllowedValueParamValidator' while validating parameter /p/: could not convert /x/ to float64 for Integer"},
		{"boolean", `{"type":"Boolean","default":true}`, `false`, "'AllowedValueParamValidator' while validating parameter /p/: parameter value /false/ not equal to default for Boolean"},
		{"limits that are none", `{"type":"String","minChars":-1,"maxChars":"many","maxItems":99999999999}`, `"ab"`, ""},
		{"a reference skips all but the pattern", `{"type":"String","minChars":30}`, `"{{ssm:x}}"`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			store := func(names []string) ([]document.Stored, error) {
				return []document.Stored{{Name: "x", Type: "String", Value: "v", Version: 1}}, nil
			}
			_, err := document.Parse([]byte(text22(`{}`, `{"p":`+c.definition+`}`)),
				document.Options{Parameters: map[string]any{"p": value(t, c.supplied)}, Strict: true, Resolve: store})
			if got := message(err); c.wrong == "" && got != "" || !strings.HasSuffix(got, c.wrong) {
				t.Errorf("got  %s\nwant %s", got, c.wrong)
			}
		})
	}
}

func TestAllFailuresAreReported(t *testing.T) {
	_, err := parse(t, `{}`, `{"b":{"type":"String","allowedPattern":"x"},"a":{"type":"String","allowedPattern":"x"}}`,
		map[string]any{"a": "1", "b": "2"})
	lines := strings.Split(message(err), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], "/a/") || !strings.Contains(lines[1], "/b/") {
		t.Errorf("got %q", lines)
	}
}

func TestNamesOfDocuments(t *testing.T) {
	for _, c := range []struct{ full, name, version string }{
		{"arn:aws:ssm:eu-west-1:123456789012:document/Doc:2", "arn:aws:ssm:eu-west-1:123456789012:document/Doc", "2"},
		{"arn:aws:ssm:eu-west-1:123456789012:document/Doc", "arn:aws:ssm:eu-west-1:123456789012:document/Doc", ""},
		{"Doc:$LATEST", "Doc", "$LATEST"},
		{"AWS-RunShellScript", "AWS-RunShellScript", ""},
	} {
		if name, version := document.SplitName(c.full); name != c.name || version != c.version {
			t.Errorf("%s: %q %q", c.full, name, version)
		}
	}
}

func TestReferencesNeedAParameterStore(t *testing.T) {
	if _, err := parse(t, `"{{ssm:/a/b-c.d:3}}"`, `{}`, nil); !errors.Is(err, document.ErrNoStore) {
		t.Errorf("got %v", err)
	}
	if _, err := parse(t, `"{{ssm:}} {{ssm-secure:x}} {{ ssm : x}}"`, `{}`, nil); err != nil {
		t.Errorf("no reference there, but %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(text22(`{"a":"{{ p }} {{ssm:x}}"}`, `{"p":{"type":"String","default":"$$","allowedPattern":"."}}`)), "{{p}}")
	f.Add([]byte(`{"schemaVersion":"1.2","runtimeConfig":{"aws:x":{"properties":["{{p}}"]}}}`), "v")
	f.Add([]byte(`{"schemaVersion":"2.2","mainSteps":[{"precondition":{"StringEquals":["platformType","{{p}}"]}}]}`), "")
	f.Fuzz(func(t *testing.T, content []byte, p string) {
		store := func(names []string) ([]document.Stored, error) {
			return []document.Stored{{Name: names[0], Type: "StringList", Value: "a,b", Version: 2}}, nil
		}
		for _, strict := range []bool{false, true} {
			doc, err := document.Parse(content, document.Options{Parameters: map[string]any{"p": p}, Resolve: store, Strict: strict})
			if err != nil {
				continue
			}
			if len(doc.Steps) == 0 {
				t.Error("a document without steps was accepted")
			}
			for _, s := range doc.Steps {
				s.Check("linux")
			}
		}
	})
}
