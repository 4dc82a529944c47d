package documents

import (
	"bytes"
	"encoding/json"
	"errors"

	"go.yaml.in/yaml/v3"
)

// errTooLarge ends the unfolding of aliases that would grow without bound.
var errTooLarge = errors.New("too large once its aliases are unfolded")

// jsonOf writes a YAML tree as compact JSON, keys in the order of the text.
func jsonOf(n *yaml.Node) (json.RawMessage, error) {
	var b bytes.Buffer
	err := writeJSON(&b, n)
	return b.Bytes(), err
}

func writeJSON(b *bytes.Buffer, n *yaml.Node) error {
	if b.Len() > 4*documentBytes {
		return errTooLarge
	}
	switch n.Kind {
	case yaml.DocumentNode:
		return writeJSON(b, n.Content[0])
	case yaml.AliasNode:
		return writeJSON(b, n.Alias)
	case yaml.SequenceNode:
		b.WriteByte('[')
		for i, item := range n.Content {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := writeJSON(b, item); err != nil {
				return err
			}
		}
		b.WriteByte(']')
		return nil
	case yaml.MappingNode:
		return writeObject(b, n)
	case yaml.ScalarNode:
		return writeScalar(b, n)
	}
	return errors.New("empty")
}

func writeObject(b *bytes.Buffer, n *yaml.Node) error {
	b.WriteByte('{')
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			return errors.New("a key isn't a plain value")
		}
		if i > 0 {
			b.WriteByte(',')
		}
		writeText(b, key.Value)
		b.WriteByte(':')
		if key.Value == "schemaVersion" && value.Kind == yaml.ScalarNode { // people write 2.2 without quotes
			writeText(b, value.Value)
			continue
		}
		if err := writeJSON(b, value); err != nil {
			return err
		}
	}
	b.WriteByte('}')
	return nil
}

func writeScalar(b *bytes.Buffer, n *yaml.Node) error {
	switch n.ShortTag() {
	case "!!int", "!!float", "!!bool", "!!null":
		var value any
		if err := n.Decode(&value); err != nil {
			return err
		}
		raw, err := json.Marshal(value)
		b.Write(raw)
		return err
	}
	writeText(b, n.Value)
	return nil
}

func writeText(b *bytes.Buffer, s string) {
	raw, _ := json.Marshal(s) // a string always can be
	b.Write(raw)
}

// yamlOf writes a JSON text as YAML in block style, keys in the order of the text.
func yamlOf(text string) (string, error) {
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(text), &root); err != nil {
		return "", err
	}
	block(&root)
	out, err := yaml.Marshal(&root)
	return string(out), err
}

// block takes the flow style from collections and the quotes from what stays text without them.
func block(n *yaml.Node) {
	switch {
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str":
		n.Tag, n.Style = "!!str", 0
	default:
		n.Style = 0
	}
	for _, item := range n.Content {
		block(item)
	}
}
