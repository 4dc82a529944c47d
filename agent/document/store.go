package document

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Stored is one value of the parameter store, as GetParameters answers.
type Stored struct {
	Name     string // without a version suffix
	Selector string // ":3" or ":label" when the service says so
	Type     string // String, StringList, SecureString
	Value    string
	Version  int64
}

// Resolver fetches at most ten references by name, each with its ":version" suffix if it has one; nothing is decrypted.
// Names that do not exist are simply missing from the answer.
type Resolver func(names []string) ([]Stored, error)

// ErrNoStore rejects a document with {{ssm:...}} references where no [Resolver] was given.
var ErrNoStore = errors.New("parameter store references are not supported by this version of ssm agent")

// batch is how many names one GetParameters takes.
const batch = 10

// fetched remembers what the store said, so that every name is asked for once.
type fetched struct {
	resolve Resolver
	values  map[string]Stored // by reference
}

// need makes sure that every reference in vs is known, or says why it cannot be.
func (f *fetched) need(vs ...any) error {
	names := references(vs...)
	names = slices.DeleteFunc(names, func(n string) bool { _, known := f.values[n]; return known })
	if len(names) == 0 {
		return nil
	}
	if f.resolve == nil {
		return fmt.Errorf("%w: %v", ErrNoStore, names)
	}
	var answer []Stored
	for part := range slices.Chunk(names, batch) {
		some, err := f.resolve(part)
		if err != nil {
			return fmt.Errorf("Encountered error while calling GetParameters API. Error: %w", err) //nolint:staticcheck // the original's words
		}
		answer = append(answer, some...)
	}
	return f.add(names, answer)
}

func (f *fetched) add(names []string, answer []Stored) error {
	if f.values == nil {
		f.values = map[string]Stored{}
	}
	var missing, secure []string
	for _, name := range names {
		v, ok := find(answer, name)
		switch {
		case !ok:
			missing = append(missing, name)
		case v.Type == "SecureString":
			secure = append(secure, name)
		default:
			f.values[name] = v
		}
	}
	switch {
	case missing != nil:
		return fmt.Errorf("Input contains invalid parameters %v", missing) //nolint:staticcheck // the original's words
	case secure != nil:
		return fmt.Errorf("Parameters %v of type SecureString are not supported", secure) //nolint:staticcheck // the original's words
	}
	return nil
}

// find looks the answer to one reference up. Without a suffix the newest version counts.
func find(answer []Stored, reference string) (best Stored, ok bool) {
	for _, v := range answer {
		if v.Name == reference && (!ok || v.Version > best.Version) {
			best, ok = v, true
		}
	}
	if ok {
		return best, true
	}
	for _, v := range answer {
		if v.Name+v.Selector == reference || v.Name+":"+strconv.FormatInt(v.Version, 10) == reference {
			return v, true
		}
	}
	return Stored{}, false
}

// references lists the names in all texts of vs, each once, in order of appearance (maps: no order is promised, so
// they are sorted).
func references(vs ...any) []string {
	var names []string
	for _, v := range vs {
		switch v := v.(type) {
		case string:
			for i := 0; ; {
				r, ok := nextReference(v, i)
				if !ok {
					break
				}
				names, i = append(names, r.name), r.end
			}
		case []any:
			names = append(names, references(v...)...)
		case map[string]any:
			var inner []string
			for _, element := range v {
				inner = append(inner, references(element)...)
			}
			slices.Sort(inner)
			names = append(names, inner...)
		}
	}
	return unique(names)
}

func unique(names []string) []string {
	seen := map[string]bool{}
	return slices.DeleteFunc(names, func(n string) bool {
		if seen[n] {
			return true
		}
		seen[n] = true
		return false
	})
}

type reference struct {
	name       string
	start, end int
}

// nextReference finds {{ ssm:name }} in t at or after from.
func nextReference(t string, from int) (reference, bool) { return scan(t, from, "ssm:") }

// refersTo tells whether t holds a reference with that prefix ("ssm:", "ssm-secure:").
func refersTo(t, prefix string) bool {
	_, ok := scan(t, 0, prefix)
	return ok
}

func scan(t string, from int, prefix string) (reference, bool) {
	for {
		i := strings.Index(t[from:], "{{")
		if i < 0 {
			return reference{}, false
		}
		start := from + i
		rest := strings.TrimLeft(t[start+2:], " ")
		if name, ok := strings.CutPrefix(rest, prefix); ok {
			n := 0
			for n < len(name) && storeName(name[n]) {
				n++
			}
			tail := strings.TrimLeft(name[n:], " ")
			if n > 0 && strings.HasPrefix(tail, "}}") {
				return reference{name[:n], start, len(t) - len(tail) + 2}, true
			}
		}
		from = start + 1
	}
}

// storeName tells whether c may stand in the name of a reference: word characters and / . : -
func storeName(c byte) bool {
	return c == '_' || strings.IndexByte("/.:-", c) >= 0 || plainName(string(rune(c)))
}

// replace replaces the references in v. A list of strings goes in only where it is a whole element of a list; there it is
// split at commas.
func (f *fetched) replace(v any) (any, error) {
	switch v := v.(type) {
	case string:
		return f.replaceText(v)
	case []any:
		list := make([]any, 0, len(v))
		for _, element := range v {
			if some, ok := f.list(element); ok {
				list = append(list, some...)
				continue
			}
			one, err := f.replace(element)
			if err != nil {
				return nil, err
			}
			list = append(list, one)
		}
		return list, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, element := range v {
			one, err := f.replace(element)
			if err != nil {
				return nil, err
			}
			out[key] = one
		}
		return out, nil
	}
	return v, nil
}

func (f *fetched) list(element any) ([]any, bool) {
	t, _ := element.(string)
	r, ok := nextReference(t, 0)
	if !ok || r.start != 0 || r.end != len(t) || f.values[r.name].Type != "StringList" {
		return nil, false
	}
	var out []any
	for _, part := range strings.Split(f.values[r.name].Value, ",") {
		out = append(out, part)
	}
	return out, true
}

func (f *fetched) replaceText(t string) (string, error) {
	var b strings.Builder
	for at := 0; ; {
		r, ok := nextReference(t, at)
		if !ok {
			b.WriteString(t[at:])
			return b.String(), nil
		}
		v := f.values[r.name]
		if v.Type == "StringList" {
			return "", fmt.Errorf("Parameter %s of type StringList cannot be used as a String", r.name) //nolint:staticcheck // the original's words
		}
		b.WriteString(t[at:r.start])
		b.WriteString(v.Value)
		at = r.end
	}
}

// resolveSteps puts parameter-store values into settings and inputs, after everything else.
func resolveSteps(steps []Step, f *fetched) error {
	var all []any
	for _, s := range steps {
		all = append(all, s.Settings, s.Inputs)
	}
	if err := f.need(all...); err != nil {
		return err
	}
	if len(f.values) == 0 {
		return nil
	}
	for i := range steps {
		var err error
		if steps[i].Settings, err = f.replace(steps[i].Settings); err != nil {
			return err
		}
		if steps[i].Inputs, err = f.replace(steps[i].Inputs); err != nil {
			return err
		}
	}
	return nil
}
