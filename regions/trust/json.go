package trust

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"
)

// deepest is how far objects and lists may be nested.
const deepest = 32

// object is a JSON object whose names are read as they are spelled; the standard library's structs would take any letter case, and of a
// name that stands twice the last.
type object map[string]any

// parse reads one JSON object: object, []any, string, int64, bool or nil within.
func parse(b []byte) (object, error) {
	if !utf8.Valid(b) {
		return nil, fmt.Errorf("%w: it is not UTF-8", ErrFormat)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	v, err := value(dec, 0)
	if err != nil {
		return nil, unusable(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: more stands behind its end", ErrFormat)
	}
	o, ok := v.(object)
	if !ok {
		return nil, fmt.Errorf("%w: it is not a JSON object", ErrFormat)
	}
	return o, nil
}

func unusable(err error) error {
	if errors.Is(err, ErrFormat) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrFormat, err)
}

func value(dec *json.Decoder, depth int) (any, error) {
	if depth > deepest {
		return nil, fmt.Errorf("%w: nested more than %d deep", ErrFormat, deepest)
	}
	t, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '{' {
			return members(dec, depth)
		}
		return items(dec, depth)
	case json.Number:
		n, err := strconv.ParseInt(t.String(), 10, 64)
		if err != nil || strconv.FormatInt(n, 10) != t.String() {
			return nil, fmt.Errorf("%w: %s is not a whole number", ErrFormat, cut(t.String()))
		}
		return n, nil
	}
	return t, nil
}

func members(dec *json.Decoder, depth int) (any, error) {
	o := object{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name, _ := t.(string)
		if _, twice := o[name]; twice {
			return nil, fmt.Errorf("%w: the name %q stands twice", ErrFormat, cut(name))
		}
		if o[name], err = value(dec, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := dec.Token()
	return o, err
}

func items(dec *json.Decoder, depth int) (any, error) {
	list := []any{}
	for dec.More() {
		v, err := value(dec, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := dec.Token()
	return list, err
}

// canonical appends the form that signatures are made over: names sorted by their bytes, no spaces, only quote and backslash escaped.
func canonical(to []byte, v any) []byte {
	switch v := v.(type) {
	case object:
		to = append(to, '{')
		for i, name := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				to = append(to, ',')
			}
			to = append(canonical(to, name), ':')
			to = canonical(to, v[name])
		}
		return append(to, '}')
	case []any:
		to = append(to, '[')
		for i, item := range v {
			if i > 0 {
				to = append(to, ',')
			}
			to = canonical(to, item)
		}
		return append(to, ']')
	case string:
		to = append(to, '"')
		for i := range len(v) {
			if v[i] == '"' || v[i] == '\\' {
				to = append(to, '\\')
			}
			to = append(to, v[i])
		}
		return append(to, '"')
	case int64:
		return strconv.AppendInt(to, v, 10)
	case bool:
		return strconv.AppendBool(to, v)
	}
	return append(to, "null"...)
}

// member is a member of an object that must be there and of this type.
func member[T any](o object, name string) (T, error) {
	v, there := o[name]
	t, ok := v.(T)
	switch {
	case !there:
		return t, fmt.Errorf("%w: it has no %q", ErrFormat, name)
	case !ok:
		return t, fmt.Errorf("%w: its %q is of another type than it must be", ErrFormat, name)
	}
	return t, nil
}

// optional is a member that may be missing, then the zero value.
func optional[T any](o object, name string) (T, error) {
	if _, there := o[name]; !there {
		var none T
		return none, nil
	}
	return member[T](o, name)
}

// number is a whole number from least up.
func number(o object, name string, least int64) (int64, error) {
	n, err := member[int64](o, name)
	if err == nil && n < least {
		err = fmt.Errorf("%w: its %q is %d, at least %d expected", ErrFormat, name, n, least)
	}
	return n, err
}

// cut shortens what stands in a file for a message.
func cut(text string) string { return text[:min(len(text), 40)] }
