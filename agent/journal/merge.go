package journal

import (
	"bytes"
	"encoding/json"
)

// text is the file's content: two spaces of indent, and whatever the file had that [Job] does not know.
func (j *Job) text() ([]byte, error) {
	now, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	if j.read != nil {
		if now, err = overlay(j.read, now); err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	if err := json.Indent(&b, now, "", "  "); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// overlay lays an object over an older one: members that only the older has stay. Lists are matched by position, as the
// steps of a document keep theirs. Large numbers keep their digits.
func overlay(old, now []byte) ([]byte, error) {
	var a, b any
	if err := decode(old, &a); err != nil {
		return now, nil // nothing there to keep
	}
	if err := decode(now, &b); err != nil {
		return nil, err
	}
	return json.Marshal(over(a, b))
}

func decode(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return d.Decode(into)
}

func over(old, now any) any {
	switch now := now.(type) {
	case map[string]any:
		was, _ := old.(map[string]any)
		for key, v := range was {
			if mine, ok := now[key]; ok {
				now[key] = over(v, mine)
			} else {
				now[key] = v
			}
		}
		return now
	case []any:
		was, _ := old.([]any)
		for i := range min(len(was), len(now)) {
			now[i] = over(was[i], now[i])
		}
		return now
	}
	return now
}
