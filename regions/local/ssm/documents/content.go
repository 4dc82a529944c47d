package documents

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
)

// Content is what a document says, read.
type Content struct {
	schema      string
	description string
	JSON        json.RawMessage // compact, keys in the order of the text
	Steps       []Step
	Platforms   []string // Linux, MacOS, Windows; empty: any
	parameters  []parameter
}

// Step is one step of a document.
type Step struct {
	ID     string // its name; in documents before 2.0 the name of the plugin
	Action string
}

// parameter is a declared parameter of a document (docs/protocol/runcommand.md, "Parameter definitions").
type parameter struct {
	name           string
	Type           string
	Description    string
	Default        any
	AllowedValues  []string
	AllowedPattern string
	MinChars       *json.Number
	MaxChars       *json.Number
	MinItems       *json.Number
	MaxItems       *json.Number
}

// rawContent is the form of documents of types Command and Session.
type rawContent struct {
	SchemaVersion string
	Description   string
	Parameters    json.RawMessage
	MainSteps     []struct{ Action, Name string }
	RuntimeConfig json.RawMessage
	SessionType   string
}

func badContent(format string, args ...any) error {
	return protocol.Refuse("InvalidDocumentContent", format, args...)
}

// readContent reads JSON or YAML. Only documents of types Command and Session are looked into.
func readContent(text, format, kind string) (Content, error) {
	if format == "TEXT" {
		return Content{}, nil
	}
	var c Content
	var err error
	if c.JSON, err = jsonText(text, format); err != nil {
		return Content{}, err
	}
	if kind != "Command" && kind != "Session" {
		return c, nil
	}
	var raw rawContent
	if err := json.Unmarshal(c.JSON, &raw); err != nil {
		return Content{}, badContent("The document doesn't have the form of a %s document: %v.", kind, err)
	}
	c.schema, c.description = raw.SchemaVersion, raw.Description
	if err := c.readBody(raw, kind); err != nil {
		return Content{}, err
	}
	return c, c.readParameters(raw.Parameters)
}

// jsonText is a JSON or YAML text as compact JSON.
func jsonText(text, format string) (json.RawMessage, error) {
	if format == "JSON" {
		var b bytes.Buffer
		if err := json.Compact(&b, []byte(text)); err != nil {
			return nil, badContent("The document isn't well-formed JSON: %v.", err)
		}
		return b.Bytes(), nil
	}
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(text), &root); err != nil {
		return nil, badContent("The document isn't well-formed YAML: %v.", err)
	}
	raw, err := jsonOf(&root)
	if err != nil {
		return nil, badContent("The document can't be read: %v.", err)
	}
	return raw, nil
}

// readBody reads the steps; which schema versions there are: docs/protocol/runcommand.md, "Schema versions".
func (c *Content) readBody(raw rawContent, kind string) error {
	unsupported := protocol.Refuse("InvalidDocumentSchemaVersion", "The schema version %q isn't one of a %s document.", raw.SchemaVersion,
		kind)
	if kind == "Session" {
		if raw.SchemaVersion != "1.0" {
			return unsupported
		}
		if raw.SessionType == "" {
			return badContent("A Session document needs a sessionType.")
		}
		return nil
	}
	switch raw.SchemaVersion {
	case "1.0", "1.2":
		return c.readRuntimeConfig(raw.RuntimeConfig)
	case "2.0", "2.0.1", "2.0.2", "2.0.3", "2.2":
	default:
		return unsupported
	}
	if len(raw.MainSteps) == 0 {
		return badContent("A document of schema version %s needs mainSteps.", raw.SchemaVersion)
	}
	for _, s := range raw.MainSteps {
		if s.Action == "" || s.Name == "" {
			return badContent("Every step needs an action and a name.")
		}
		if slices.ContainsFunc(c.Steps, func(o Step) bool { return o.ID == s.Name }) {
			return badContent("Two steps have the name %s.", s.Name)
		}
		c.add(Step{ID: s.Name, Action: s.Action})
	}
	return nil
}

func (c *Content) readRuntimeConfig(raw json.RawMessage) error {
	names, err := keysInOrder(raw)
	if err != nil || len(names) == 0 {
		return badContent("A document of schema version %s needs a runtimeConfig.", c.schema)
	}
	for _, name := range names {
		c.add(Step{ID: name, Action: name})
	}
	return nil
}

// add takes a step in, and widens the platforms by those its action runs on.
func (c *Content) add(s Step) {
	c.Steps = append(c.Steps, s)
	on := []string{"Windows", "Linux", "MacOS"}
	switch {
	case s.Action == "aws:runShellScript":
		on = []string{"Linux", "MacOS"}
	case s.Action == "aws:psModule", s.Action == "aws:applications", s.Action == "aws:updateAgent", s.Action == "aws:cloudWatch":
		on = []string{"Windows"}
	}
	for _, p := range on {
		if !slices.Contains(c.Platforms, p) {
			c.Platforms = append(c.Platforms, p)
		}
	}
}

func (c *Content) readParameters(raw json.RawMessage) error {
	names, err := keysInOrder(raw)
	if err != nil {
		return badContent("The parameters of the document can't be read: %v.", err)
	}
	var all map[string]parameter
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &all); err != nil {
			return badContent("The parameters of the document can't be read: %v.", err)
		}
	}
	for _, name := range names {
		p := all[name]
		p.name = name
		if err := p.check(); err != nil {
			return err
		}
		c.parameters = append(c.parameters, p)
	}
	return nil
}

func (p parameter) check() error {
	switch p.Type {
	case "String", "StringList", "StringMap", "Integer", "Boolean", "MapList":
	default:
		return badContent("The parameter %s has the unknown type %q.", p.name, p.Type)
	}
	if _, err := regexp.Compile(p.AllowedPattern); err != nil {
		return badContent("The allowedPattern of the parameter %s can't be compiled: %v.", p.name, err)
	}
	return nil
}

// keysInOrder are the keys of a JSON object as its text has them; none for nothing and null.
func keysInOrder(raw json.RawMessage) ([]string, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("not an object")
	}
	var keys []string
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		keys = append(keys, t.(string))
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
	}
	return keys, nil
}
