package guides_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// schema is a JSON schema as far as docs/schema uses it.
type schema struct {
	Schema      string             `json:"$schema,omitempty"`
	Title       string             `json:"title,omitempty"`
	Description string             `json:"description,omitempty"`
	Type        types              `json:"type,omitempty"`
	Properties  map[string]*schema `json:"properties,omitempty"`
	Required    []string           `json:"required,omitempty"`
	Items       *schema            `json:"items,omitempty"`
	Values      *schema            `json:"additionalProperties,omitempty"` // of an object whose members have names of the data
}

// types is one type or several.
type types []string

func (t types) MarshalJSON() ([]byte, error) {
	if len(t) == 1 {
		return json.Marshal(t[0])
	}
	return json.Marshal([]string(t))
}

func (t *types) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*t = types{one}
		return nil
	}
	var all []string
	err := json.Unmarshal(text, &all)
	*t = all
	return err
}

func schemaFile(t *testing.T, name string) string {
	return filepath.Join(source(t), "docs/schema", name+".json")
}

// holds fails unless what a command printed is valid by its schema and every member of it is described there. With -write the schema
// learns what it lacks.
func holds(t *testing.T, name string, printed []byte) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(printed))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		t.Fatalf("%s: %v in %s", name, err, printed)
	}
	if *write {
		learn(t, name, value)
	}
	text, err := os.ReadFile(schemaFile(t, name))
	if err != nil {
		t.Error(err)
		return
	}
	compiled, err := jsonschema.CompileString(name+".json", string(text))
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if err := compiled.Validate(value); err != nil {
		t.Errorf("%s: %#v\n%s", name, err, printed)
	}
	var described schema
	if err := json.Unmarshal(text, &described); err != nil {
		t.Error(err)
	}
	for _, missing := range undescribed(&described, value, name) {
		t.Errorf("docs/schema/%s.json does not describe %s", name, missing)
	}
}

// undescribed are the members of a value that a schema says nothing of.
func undescribed(s *schema, value any, path string) (missing []string) {
	switch value := value.(type) {
	case map[string]any:
		for key, member := range value {
			below := s.Properties[key]
			if below == nil {
				below = s.Values
			}
			if below == nil {
				missing = append(missing, path+"."+key)
				continue
			}
			missing = append(missing, undescribed(below, member, path+"."+key)...)
		}
	case []any:
		for _, element := range value {
			if s.Items == nil {
				return append(missing, path+"[]")
			}
			missing = append(missing, undescribed(s.Items, element, path+"[]")...)
		}
	}
	return missing
}

// learn adds to a schema file what a value has.
func learn(t *testing.T, name string, value any) {
	t.Helper()
	var have *schema
	if text, err := os.ReadFile(schemaFile(t, name)); err == nil {
		have = &schema{}
		if err := json.Unmarshal(text, have); err != nil {
			t.Fatal(err)
		}
	}
	have = widen(have, value)
	have.Schema, have.Title = "https://json-schema.org/draft/2020-12/schema", "ssm-setup "+name+" --json"
	text, err := json.MarshalIndent(have, "", "  ")
	if err == nil {
		err = os.WriteFile(schemaFile(t, name), append(text, '\n'), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// widen makes a schema take a value, too; nil: the schema of that value alone.
func widen(s *schema, value any) *schema {
	first := s == nil
	if first {
		s = &schema{}
	}
	kind := ""
	switch value := value.(type) {
	case map[string]any:
		kind = "object"
		if s.Values == nil {
			widenObject(s, value)
		}
	case []any:
		kind = "array"
		for _, element := range value {
			s.Items = widen(s.Items, element)
		}
	case string:
		kind = "string"
	case bool:
		kind = "boolean"
	case nil:
		kind = "null"
	case json.Number:
		if kind = "integer"; strings.ContainsAny(value.String(), ".e") || slices.Contains(s.Type, "number") {
			kind = "number"
			s.Type = slices.DeleteFunc(s.Type, func(k string) bool { return k == "integer" })
		}
	default:
		panic(fmt.Sprintf("%T", value))
	}
	if !slices.Contains(s.Type, kind) {
		s.Type = append(s.Type, kind)
		slices.Sort(s.Type)
	}
	return s
}

func widenObject(s *schema, value map[string]any) {
	seenBefore := s.Properties != nil
	if !seenBefore {
		s.Properties = map[string]*schema{}
	}
	for key, member := range value {
		if !seenBefore {
			s.Required = append(s.Required, key)
		}
		s.Properties[key] = widen(s.Properties[key], member)
		if key == "seconds" {
			s.Properties[key].Type = types{"number"}
		}
	}
	s.Required = slices.DeleteFunc(s.Required, func(key string) bool { _, ok := value[key]; return !ok })
	slices.Sort(s.Required)
}

// The demo's last line is one object, too.
func TestTheDemosLastLineFitsItsSchema(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(page(t, "docs/demo.txt")), "\n")
	holds(t, "demo", []byte(lines[len(lines)-1]))
}

// Every schema is named by docs/json.md, and every file it names is there.
func TestThePageOfObjectsNamesEverySchema(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(source(t), "docs/schema/*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no schemas: %v", err)
	}
	text := page(t, "docs/json.md")
	for _, f := range files {
		if name := "schema/" + filepath.Base(f); !strings.Contains(text, "("+name+")") {
			t.Errorf("docs/json.md does not name %s", name)
		}
	}
	if n := strings.Count(text, "](schema/"); n != len(files) {
		t.Errorf("docs/json.md names %d schemas, there are %d", n, len(files))
	}
}
