package document

import (
	"bytes"
	"encoding/json"
)

// ordered is a JSON object whose members keep the order they were written in. A key written twice keeps its first place
// and its last value.
type ordered[V any] []member[V]

type member[V any] struct {
	key   string
	value V
}

// UnmarshalJSON reads an object; null is an empty one.
func (o *ordered[V]) UnmarshalJSON(b []byte) error {
	*o = nil
	var plain map[string]V // checks the types, and that it is an object
	if err := json.Unmarshal(b, &plain); err != nil || plain == nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if _, err := d.Token(); err != nil { // the opening brace
		return err
	}
	seen := map[string]bool{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		var skipped json.RawMessage
		if err := d.Decode(&skipped); err != nil {
			return err
		}
		if name := key.(string); !seen[name] {
			seen[name] = true
			*o = append(*o, member[V]{name, plain[name]})
		}
	}
	return nil
}
