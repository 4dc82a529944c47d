package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Edit puts settings into the text of a configuration file and returns the new text, indented. A setting is named by
// section and key with a dot between, for example Agent.UpdateSource; a nil value removes it. Everything else stays as it
// is and where it is, unknown keys included. Empty text is an empty object.
func Edit(data []byte, settings map[string]any) ([]byte, error) {
	data = bytes.TrimSpace(withoutMark(data))
	if len(data) == 0 {
		data = []byte("{}")
	}
	file, err := parseObject(data)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		section, key, ok := strings.Cut(name, ".")
		if !ok {
			return nil, fmt.Errorf("setting %q is not of the form Section.Key", name)
		}
		inner := object{}
		if old, found := file.get(section); found && string(old) != "null" {
			if inner, err = parseObject(old); err != nil {
				return nil, fmt.Errorf("section %s: %w", section, err)
			}
		}
		if inner, err = inner.put(key, settings[name]); err != nil {
			return nil, err
		}
		if file, err = file.put(section, inner); err != nil {
			return nil, err
		}
	}
	text, err := marshal(file)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, text, "", "    "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// object is a JSON object that keeps the order of its members.
type object []member

type member struct {
	key   string
	value json.RawMessage
}

var errNoObject = errors.New("a JSON object is expected")

func parseObject(data []byte) (object, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil {
		return nil, err
	} else if t != json.Delim('{') {
		return nil, errNoObject
	}
	var o object
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		m := member{key: t.(string)} // a decoder gives nothing else before a member's value
		if err := d.Decode(&m.value); err != nil {
			return nil, err
		}
		o = append(o, m)
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("text behind the JSON object")
	}
	return o, nil
}

// get finds the member that counts: the last one that is spelled alike.
func (o object) get(key string) (json.RawMessage, bool) {
	for _, m := range slices.Backward(o) {
		if strings.EqualFold(m.key, key) {
			return m.value, true
		}
	}
	return nil, false
}

// put replaces the first member spelled alike and drops further ones; a new one goes to the end. nil removes.
func (o object) put(key string, value any) (object, error) {
	text, err := marshal(value)
	if err != nil {
		return nil, err
	}
	done := value == nil
	var out object
	for _, m := range o {
		if !strings.EqualFold(m.key, key) {
			out = append(out, m)
		} else if !done {
			out, done = append(out, member{m.key, text}), true
		}
	}
	if !done {
		out = append(out, member{key, text})
	}
	return out, nil
}

// MarshalJSON writes the members in order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := marshal(m.key)
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(m.value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// marshal leaves < > and & as people write them.
func marshal(value any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(value)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
