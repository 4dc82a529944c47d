package document

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
)

// Document is what [Parse] makes: steps in running order, everything substituted.
type Document struct {
	Schema      string // "1.0", "1.2", "2.0", "2.0.1", "2.0.2", "2.0.3" or "2.2"
	Description string
	Steps       []Step
	Dropped     []string // supplied under a name that does not count, and of no effect: sorted
}

// Step is one action with its inputs. As JSON it is part of a job on disk.
type Step struct {
	ID            string         `json:"id"`     // the name of a 2.x step, the plugin name in 1.x
	Action        string         `json:"action"` // plugin name, for example aws:runShellScript
	Inputs        any            `json:"inputs"` // inputs (2.x) or properties (1.x): map, list or string
	Settings      any            `json:"settings,omitempty"`
	Preconditions []Precondition `json:"preconditions,omitempty"`
}

// Options say what a document is parsed with. The zero value is a document without parameters.
type Options struct {
	Parameters map[string]any // supplied values, as JSON decodes them
	Resolve    Resolver       // nil: a document with {{ssm:...}} references is rejected
	Strict     bool           // also check what the service checks itself (documents run by aws:runDocument)
}

// Conditional tells whether documents of this schema have preconditions and skip what a platform does not support.
func Conditional(schema string) bool { return schema == "2.2" }

// Parse reads a document and puts the parameters in. Every error is a rejection; its text is made for the service
// (docs/protocol/runcommand.md, "Documents").
func Parse(content []byte, o Options) (Document, error) {
	if content == nil {
		content = []byte("null") // a message without a document: one without a schema
	}
	var raw source
	if err := decode(content, &raw); err != nil {
		return Document{}, Unreadable(err, "the document")
	}
	steps, err := raw.steps()
	if err != nil {
		return Document{}, err
	}
	values, dropped := supplied(o.Parameters)
	if err := raw.checkDropped(o.Parameters, dropped); err != nil {
		return Document{}, err
	}
	raw.addDefaults(values)
	fetched := &fetched{resolve: o.Resolve}
	if err := raw.validate(values, fetched, o.Strict); err != nil {
		return Document{}, err
	}
	sub := substitution{values: values, odd: raw.oddDefaults()}
	variables := raw.variables(values)
	for i := range steps {
		if err := steps[i].fill(sub, variables); err != nil {
			return Document{}, err
		}
	}
	if err := resolveSteps(steps, fetched); err != nil {
		return Document{}, err
	}
	return Document{Schema: raw.SchemaVersion, Description: raw.Description, Steps: steps, Dropped: dropped}, nil
}

// source is a document as it arrives. Keys match without regard to case. The members of a step that do nothing are
// still typed: a wrong type makes the document unreadable, as it always did.
type source struct {
	SchemaVersion string                 `json:"schemaVersion"`
	Description   string                 `json:"description"`
	RuntimeConfig ordered[*rawPlugin]    `json:"runtimeConfig"`
	MainSteps     []*rawStep             `json:"mainSteps"`
	Parameters    map[string]*Definition `json:"parameters"`
}

type rawPlugin struct {
	Settings    any    `json:"settings"`
	Properties  any    `json:"properties"`
	Description string `json:"description"`
}

type rawStep struct {
	Action         string            `json:"action"`
	Name           string            `json:"name"`
	Inputs         any               `json:"inputs"`
	Settings       any               `json:"settings"`
	Precondition   ordered[[]string] `json:"precondition"`
	OnFailure      string            `json:"onFailure"`
	MaxAttempts    int               `json:"maxAttempts"`
	TimeoutSeconds int               `json:"timeoutSeconds"`
}

var errSchema = errors.New("Unsupported schema format") //nolint:staticcheck // the original's words

// steps checks the version and lays the body out as steps, nothing substituted yet.
func (s *source) steps() ([]Step, error) {
	switch s.SchemaVersion {
	case "1.0", "1.2":
		return s.pluginSteps()
	case "2.0", "2.0.1", "2.0.2", "2.0.3", "2.2":
		return s.mainSteps()
	}
	return nil, fmt.Errorf("Document with schema version %s is not supported by this version of "+
		"ssm agent, please update to latest version", s.SchemaVersion)
}

// pluginSteps reads runtimeConfig. Several plugins run in the order they are written.
func (s *source) pluginSteps() ([]Step, error) {
	if len(s.RuntimeConfig) == 0 {
		return nil, errSchema
	}
	steps := make([]Step, 0, len(s.RuntimeConfig))
	for _, p := range s.RuntimeConfig {
		if p.value == nil {
			p.value = &rawPlugin{}
		}
		steps = append(steps, Step{ID: p.key, Action: p.key, Inputs: p.value.Properties, Settings: p.value.Settings})
	}
	return steps, nil
}

func (s *source) mainSteps() ([]Step, error) {
	if len(s.MainSteps) == 0 {
		return nil, errSchema
	}
	steps := make([]Step, 0, len(s.MainSteps))
	for _, m := range s.MainSteps {
		if m == nil {
			return nil, Unreadable(errors.New("a step is null"), "")
		}
		step := Step{ID: m.Name, Action: m.Action, Inputs: m.Inputs, Settings: m.Settings}
		for _, p := range m.Precondition {
			step.Preconditions = append(step.Preconditions, newPrecondition(p.key, p.value))
		}
		steps = append(steps, step)
	}
	return steps, nil
}

// fill substitutes the parameters into one step.
func (s *Step) fill(sub substitution, variables map[string]string) error {
	s.Inputs = useVariables(s.Action, s.Inputs, sub.value(s.Inputs), sub, variables)
	s.Settings = sub.value(s.Settings)
	for i := range s.Preconditions {
		if err := s.Preconditions[i].fill(sub); err != nil {
			return fmt.Errorf("step %s: %w", s.ID, err)
		}
	}
	return nil
}

// Unreadable is the shape of errors of reading JSON (docs/protocol/runcommand.md, "Rejection summary"); whole names what was read.
func Unreadable(err error, whole string) error {
	return fmt.Errorf("encountered error while parsing input - internal error %w", WrongType(err, whole))
}

// WrongType says which member of whole has the wrong JSON type, in the words of the JSON: its keys and types. Other errors stay.
func WrongType(err error, whole string) error {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return err
	}
	return fmt.Errorf("json: cannot unmarshal %s into %s of type %s", wrong.Value, cmp.Or(wrong.Field, whole), jsonType(wrong.Type))
}

func jsonType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return jsonType(t.Elem())
	case reflect.Struct, reflect.Map:
		return "object"
	case reflect.Slice, reflect.Array:
		return "array"
	}
	return t.Kind().String()
}

// decode reads exactly one JSON value.
func decode(content []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(content))
	if err := d.Decode(into); err != nil {
		if errors.Is(err, io.EOF) {
			return errors.New("unexpected end of JSON input")
		}
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more after the document's end")
	}
	return nil
}
