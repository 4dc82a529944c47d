package document

import (
	"bytes"
	"encoding/json"
	"strings"
)

// substitution puts parameter values where {{ name }} stands (docs/protocol/runcommand.md, "Substitution of {{ name }}"). One pass:
// what a value brings along is never looked at again. No quoting of any kind.
type substitution struct {
	values map[string]any // keep their type when the placeholder is the whole text
	odd    map[string]any // always become text
}

// space is what may stand between the braces and the name.
const space = " \t\n\f\r"

// value substitutes in every text of v, not in the keys of maps. v itself is not changed.
func (s substitution) value(v any) any {
	switch v := v.(type) {
	case string:
		return s.text(v)
	case []any:
		list := make([]any, len(v))
		for i, element := range v {
			list[i] = s.value(element)
		}
		return list
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, element := range v {
			out[key] = s.value(element)
		}
		return out
	}
	return v
}

func (s substitution) text(t string) any {
	if name, end, ok := placeholder(t); ok && end == len(t) {
		if v, known := s.values[name]; known {
			return v
		}
	}
	out, _ := s.embed(t)
	return out
}

// embed replaces every known placeholder by text; found says whether there was one.
func (s substitution) embed(t string) (out string, found bool) {
	var b strings.Builder
	for {
		i := strings.Index(t, "{{")
		if i < 0 {
			b.WriteString(t)
			return b.String(), found
		}
		b.WriteString(t[:i])
		t = t[i:]
		name, end, ok := placeholder(t)
		v, known := s.values[name]
		if !known {
			v, known = s.odd[name]
		}
		if !ok || !known {
			b.WriteByte('{')
			t = t[1:]
			continue
		}
		b.WriteString(strings.ReplaceAll(embedded(v), "$$", "$"))
		t = t[end:]
		found = true
	}
}

// placeholder reads {{ name }} at the start of t; end is where it stops.
func placeholder(t string) (name string, end int, ok bool) {
	if !strings.HasPrefix(t, "{{") {
		return "", 0, false
	}
	length := strings.IndexAny(t[2:], "{}")
	if length < 0 || !strings.HasPrefix(t[2+length:], "}}") {
		return "", 0, false
	}
	return strings.Trim(t[2:2+length], space), length + 4, true
}

// embedded is a value in the middle of a text. Lists have & < > escaped, as the original's; other values have not.
func embedded(v any) string {
	if list, ok := v.([]any); ok {
		if text, err := json.Marshal(list); err == nil {
			return string(text)
		}
	}
	return asText(v)
}

// asText is a value inside other text: strings as they are, everything else as compact JSON.
func asText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return ""
	}
	return strings.TrimSuffix(b.String(), "\n")
}
