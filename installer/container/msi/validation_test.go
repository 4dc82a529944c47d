package msi

import (
	"errors"
	"strings"
	"testing"
)

// Every column of every known table has its rule, of the right kind.
func TestEveryKnownColumnHasARule(t *testing.T) {
	for name := range schema {
		cols, err := columns(name)
		if err != nil {
			t.Fatal(err)
		}
		list := rulesOf(name)
		if len(list) != len(cols) {
			t.Errorf("%s has %d columns and %d rules", name, len(cols), len(list))
			continue
		}
		for i, r := range list {
			text := cols[i].isText() || cols[i].isBinary()
			if text == (r.category == "" && r.set == nil) || text && r.bounded {
				t.Errorf("%s.%s is %s, its rule %+v", name, cols[i].Name, cols[i].Type, r)
			}
			if r.category != "" && !strings.Contains(";"+categories+";", ";"+r.category+";") {
				t.Errorf("%s.%s: no category %s", name, cols[i].Name, r.category)
			}
			for _, other := range r.tables {
				if schema[other] == "" {
					t.Errorf("%s.%s names rows of %s", name, cols[i].Name, other)
				}
			}
		}
	}
	for name := range rules {
		if schema[name] == "" {
			t.Errorf("rules for %s, which is no table", name)
		}
	}
}

func TestRowsThatBreakARuleAreRefused(t *testing.T) {
	good := func() *Database {
		d := &Database{}
		for _, row := range [][]any{
			{"Directory", "TARGETDIR", nil, "SourceDir"},
			{"Component", "c", "{7B42E245-E355-5211-B972-B4D7A74903E0}", "TARGETDIR", 256, nil, "f"},
			{"File", "f", "c", "LONGN~1.TXT|long name.txt", 5, "1.2.3.4", "1033", 512, 1},
			{"Media", 1, 1, nil, "#agent.cab"},
			{"LaunchCondition", "Installed", "a [Property] of {[~]} it"},
			{"Registry", "r", 2, `SOFTWARE\x`, "n", "v", "c"},
		} {
			if err := d.Add(row[0].(string), row[1:]...); err != nil {
				t.Fatal(err)
			}
		}
		return d
	}
	d := good()
	if err := errors.Join(d.Describe(), d.Validate()); err != nil {
		t.Error(err)
	}
	for _, row := range [][]any{
		{"Component", "c2", "{7b42e245-e355-5211-b972-b4d7a74903e0}", "TARGETDIR", 256},
		{"Component", "c2", nil, "elsewhere", 256},
		{"Component", "c2", nil, "TARGETDIR", 256, nil, "nothing"},
		{"File", "f 2", "c", "X", 5, nil, nil, 512, 2},
		{"File", "f2", "c", "too long a name.txt", 5, nil, nil, 512, 2},
		{"File", "f2", "c", "X", 5, "one.two", nil, 512, 2},
		{"File", "f2", "c", "X", 5, nil, nil, 512, 0},
		{"File", "f2", "c2", "X", 5, nil, nil, 512, 2},
		{"Media", 2, 2, nil, "agent cabinet.cab"},
		{"Registry", "r2", 4, `SOFTWARE\x`, "n", "v", "c"},
		{"Registry", "r2", 2, `SOFTWARE\`, "n", "v", "c"},
		{"LaunchCondition", "a", "an open [bracket"},
		{"Upgrade", "{7B42E245-E355-5211-B972-B4D7A74903E0}", nil, "1.0", nil, 1, nil, "Small"},
	} {
		d := good()
		if err := d.Add(row[0].(string), row[1:]...); err != nil {
			t.Fatal(err)
		}
		if err := d.Validate(); !errors.Is(err, ErrValue) || !strings.Contains(err.Error(), row[0].(string)+".") {
			t.Errorf("%v: %v", row, err)
		}
	}
}
