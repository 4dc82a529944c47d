package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// longest bounds the file, in bytes.
const longest = 64 << 10

// ErrDamaged says that the file of the policy cannot be read. Until it can, the policy allows nothing.
var ErrDamaged = fault.New(fault.Refused, "the update policy cannot be read",
	"mend the file, or remove it: ssm-setup policy then shows what counts")

// File is where the policy of an installation lies.
func File(l installer.Layout) string { return l.Policy() }

// Read reads a host's policy; without a file everything is allowed. With an error the policy allows nothing.
func Read(l installer.Layout) (Policy, error) {
	p, _, err := read(l)
	if err != nil {
		err = fmt.Errorf("%w: %s: %w", ErrDamaged, File(l), err)
		return Policy{damage: err}, err
	}
	return p, nil
}

// read also returns the members of the file as they stand in it.
func read(l installer.Layout) (p Policy, members map[string]json.RawMessage, err error) {
	members = map[string]json.RawMessage{}
	f, err := os.Open(File(l))
	if errors.Is(err, fs.ErrNotExist) {
		return p, members, nil
	}
	if err != nil {
		return p, nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return p, nil, errors.Join(err, errors.New("it is no ordinary file"))
	}
	text, err := io.ReadAll(io.LimitReader(f, longest+1))
	if err == nil && len(text) > longest {
		err = fmt.Errorf("it has more than %d bytes", longest)
	}
	text = bytes.TrimPrefix(text, []byte("\uFEFF")) // as editors on Windows write it
	if err == nil {
		err = json.Unmarshal(text, &members)
	}
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if members == nil {
		members = map[string]json.RawMessage{}
	}
	return p, members, err
}

// Change changes a host's policy and returns it. What change leaves as it was stays in the file as it stands, members of later versions
// included. A damaged file is not written over: [ErrDamaged].
func Change(l installer.Layout, change func(*Policy)) (Policy, error) {
	p, members, err := read(l)
	if err != nil {
		return p, fmt.Errorf("%w: %s: %w", ErrDamaged, File(l), err)
	}
	before := p
	change(&p)
	was, is := reflect.ValueOf(before), reflect.ValueOf(p)
	for i := range is.NumField() {
		field := is.Type().Field(i)
		if !field.IsExported() || reflect.DeepEqual(was.Field(i).Interface(), is.Field(i).Interface()) {
			continue
		}
		name := nameOf(field)
		if is.Field(i).IsZero() {
			delete(members, name)
			continue
		}
		if members[name], err = json.Marshal(is.Field(i).Interface()); err != nil {
			return before, err
		}
	}
	text, err := json.MarshalIndent(members, "", "  ")
	if err != nil {
		return before, err
	}
	if len(text) >= longest {
		return before, fault.New(fault.Usage, fmt.Sprintf("the policy would have more than %d bytes", longest), "give a shorter reason")
	}
	if len(members) == 0 {
		err := os.Remove(File(l))
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return p, err
	}
	return p, host.WriteFile(File(l), append(text, '\n'), 0o644) // status shows it to everyone
}

// nameOf is a field's name in the file.
func nameOf(f reflect.StructField) string {
	name, _, _ := bytes.Cut([]byte(f.Tag.Get("json")), []byte(","))
	return string(name)
}
