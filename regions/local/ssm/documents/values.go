package documents

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
)

// Values turns the parameters of a SendCommand, which are all lists of strings, into what nodes are sent: every declared
// parameter with its own type, defaults filled in. What the document doesn't declare or allow is an InvalidParameters,
// and so is a name that agents drop (docs/protocol/runcommand.md, "Substitution of {{ name }}").
func (c Content) Values(given map[string][]string) (map[string]any, error) {
	for name := range given {
		if !protocol.Only(name, "") {
			return nil, protocol.Refuse("InvalidParameters", "The parameter %s can't be supplied: an agent takes only names of letters and digits, "+
				"and would use the default instead.", name)
		}
		if !slices.ContainsFunc(c.parameters, func(p parameter) bool { return p.name == name }) {
			return nil, protocol.Refuse("InvalidParameters", "The document has no parameter %s.", name)
		}
	}
	out := map[string]any{}
	for _, p := range c.parameters {
		texts, ok := given[p.name]
		if !ok {
			if p.Default == nil {
				return nil, protocol.Refuse("InvalidParameters", "The parameter %s is required.", p.name)
			}
			out[p.name] = p.Default
			continue
		}
		value, err := p.value(texts)
		if err != nil {
			return nil, err
		}
		out[p.name] = value
	}
	return out, nil
}

func (p parameter) bad(format string, args ...any) error {
	return protocol.Refuse("InvalidParameters", "The parameter "+p.name+" "+format, args...)
}

// value checks and converts what was given for one parameter.
func (p parameter) value(texts []string) (any, error) {
	if p.Type == "StringList" || p.Type == "MapList" {
		if n := len(texts); n < bound(p.MinItems, 0) || n > bound(p.MaxItems, 1<<31-1) {
			return nil, p.bad("takes %d to %d items, not %d.", bound(p.MinItems, 0), bound(p.MaxItems, 1<<31-1), n)
		}
	} else if len(texts) != 1 {
		return nil, p.bad("takes one value, not %d.", len(texts))
	}
	for _, text := range texts {
		if err := p.allows(text); err != nil {
			return nil, err
		}
	}
	switch p.Type {
	case "String":
		return texts[0], nil
	case "StringList":
		return texts, nil
	case "Boolean":
		if texts[0] != "true" && texts[0] != "false" {
			return nil, p.bad("takes true or false, not %q.", texts[0])
		}
		return texts[0] == "true", nil
	case "Integer":
		n, err := strconv.ParseInt(texts[0], 10, 64)
		if err != nil {
			return nil, p.bad("takes a whole number, not %q.", texts[0])
		}
		return n, nil
	}
	return p.objects(texts)
}

// objects reads JSON objects: one for a StringMap, a list of them for a MapList.
func (p parameter) objects(texts []string) (any, error) {
	list := []map[string]any{}
	for _, text := range texts {
		var object map[string]any
		if err := json.Unmarshal([]byte(text), &object); err != nil {
			return nil, p.bad("takes JSON objects: %v.", err)
		}
		list = append(list, object)
	}
	if p.Type == "StringMap" {
		return list[0], nil
	}
	return list, nil
}

// allows checks one text against the limits of the declaration; a reference to the parameter store is left to the node.
func (p parameter) allows(text string) error {
	if strings.Contains(strings.ReplaceAll(text, " ", ""), "{{ssm:") {
		return nil
	}
	if len(p.AllowedValues) > 0 && !slices.Contains(p.AllowedValues, text) {
		return p.bad("takes one of %s, not %q.", strings.Join(p.AllowedValues, ", "), text)
	}
	if n := utf8.RuneCountInString(text); n < bound(p.MinChars, 0) || n > bound(p.MaxChars, 1<<31-1) {
		return p.bad("takes %d to %d characters, not %d.", bound(p.MinChars, 0), bound(p.MaxChars, 1<<31-1), n)
	}
	if pattern, err := regexp.Compile(p.AllowedPattern); err == nil && !pattern.MatchString(text) {
		return p.bad("must match %s.", p.AllowedPattern)
	}
	return nil
}

// bound is a limit of a declaration; what can't be read as one doesn't limit.
func bound(n *json.Number, otherwise int) int {
	if n == nil {
		return otherwise
	}
	v, err := n.Int64()
	if err != nil || v < 0 || v > 1<<31-1 {
		return otherwise
	}
	return int(v)
}
