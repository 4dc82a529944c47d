package plugins

import (
	"bytes"
	"encoding/json"
)

// lines are the commands of a script. One that is no text, where a parameter of another type is a whole line, is its JSON: documents
// that AWS publishes do so with numbers, maps and lists.
type lines []string

// UnmarshalJSON reads a list; what is no list is the error that a list of texts would make.
func (l *lines) UnmarshalJSON(b []byte) error {
	var elements []json.RawMessage
	if json.Unmarshal(b, &elements) != nil {
		return json.Unmarshal(b, (*[]string)(l))
	}
	*l = make(lines, len(elements))
	for i, element := range elements {
		var text string
		if json.Unmarshal(element, &text) != nil {
			text = plainJSON(element)
		}
		(*l)[i] = text
	}
	return nil
}

// plainJSON is JSON as it is written inside other text: & < > stay as they are, but in lists.
func plainJSON(raw json.RawMessage) string {
	if bytes.HasPrefix(raw, []byte("[")) {
		return string(raw)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if d.Decode(&v) != nil || e.Encode(v) != nil {
		return string(raw)
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}
