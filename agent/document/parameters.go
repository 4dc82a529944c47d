package document

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
)

// Definition is one entry of a document's parameters. The type's text is not checked (docs/protocol/runcommand.md, "Parameter
// definitions").
type Definition struct {
	Type              string   `json:"type"`
	Default           any      `json:"default"`
	Description       string   `json:"description"`
	AllowedValues     []string `json:"allowedValues"`
	AllowedPattern    string   `json:"allowedPattern"`
	InterpolationType string   `json:"interpolationType"` // ENV_VAR: see variables.go; everything else counts as absent
	MinChars          limit    `json:"minChars"`
	MaxChars          limit    `json:"maxChars"`
	MinItems          limit    `json:"minItems"`
	MaxItems          limit    `json:"maxItems"`
}

// limit is a number or numeric text in 0..2^31-1; anything else counts as not given.
type limit struct {
	set   bool
	value int
}

// UnmarshalJSON never fails.
func (l *limit) UnmarshalJSON(b []byte) error {
	text := string(b)
	var quoted string
	if json.Unmarshal(b, &quoted) == nil {
		text = quoted
	}
	n, err := strconv.ParseInt(text, 10, 64)
	*l = limit{}
	if err == nil && n >= 0 && n <= math.MaxInt32 {
		*l = limit{set: true, value: int(n)}
	}
	return nil
}

// or is the limit, or what stands in for one that was not given.
func (l limit) or(n int) int {
	if l.set {
		return l.value
	}
	return n
}

// plainName tells whether a parameter's name is made of ASCII letters and digits only.
func plainName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return name != ""
}

// supplied copies the values whose names count and lists the others.
func supplied(given map[string]any) (values map[string]any, dropped []string) {
	values = map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if plainName(name) {
			values[name] = given[name]
		} else {
			dropped = append(dropped, name)
		}
	}
	return values, dropped
}

// checkDropped refuses a supplied value in whose place the document's default would be used. The service sends the defaults of all
// parameters along: a value that is the default replaces nothing.
func (s *source) checkDropped(given map[string]any, dropped []string) error {
	for _, name := range dropped {
		def, declared := s.Parameters[name]
		if !declared || def != nil && asText(given[name]) == asText(def.Default) {
			continue
		}
		return fmt.Errorf("the parameter %s cannot be supplied: an agent takes only names of letters and digits, and would use the "+
			"default instead", name)
	}
	return nil
}

// addDefaults fills in declared parameters that were not supplied; without a default they are null.
func (s *source) addDefaults(values map[string]any) {
	for name, def := range s.Parameters {
		if _, given := values[name]; given || !plainName(name) {
			continue
		}
		values[name] = nil
		if def != nil {
			values[name] = def.Default
		}
	}
}

// oddDefaults are the defaults of parameters whose names cannot be supplied; they are put in as text.
func (s *source) oddDefaults() map[string]any {
	odd := map[string]any{}
	for name, def := range s.Parameters {
		if !plainName(name) && def != nil {
			odd[name] = def.Default
		}
	}
	return odd
}
