package msi

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// rules say what each column of the known tables holds, in their order: a category of text, for names of rows elsewhere with
// the tables behind it (>), or the numbers that are possible; a set of words stands in braces. Tools that check or edit
// packages read them from the table _Validation.
var rules = map[string]string{
	"ActionText":        "Identifier Text Template",
	"AppSearch":         "Identifier Identifier>Signature;RegLocator;DrLocator",
	"Binary":            "Identifier Binary",
	"Component":         "Identifier Guid Identifier>Directory 0..32767 Condition Identifier>File;Registry",
	"CreateFolder":      "Identifier>Directory Identifier>Component",
	"CustomAction":      "Identifier 1..32767 CustomSource Formatted 0..2147483647",
	"Directory":         "Identifier Identifier>Directory DefaultDir",
	"DrLocator":         "Identifier Identifier AnyPath 0..32767",
	"DuplicateFile":     "Identifier Identifier>Component Identifier>File Filename Identifier",
	"Error":             "0..32767 Template",
	"Feature":           "Identifier Identifier>Feature Text Text 0..32767 0..32767 UpperCase>Directory 0..63",
	"FeatureComponents": "Identifier>Feature Identifier>Component",
	"File":              "Identifier Identifier>Component Filename 0..2147483647 Version Language 0..32767 1..2147483647",
	"Icon":              "Identifier Binary",
	"LaunchCondition":   "Condition Formatted",
	"Media":             "1..32767 0..2147483647 Text Cabinet Text Property",
	"MsiFileHash":       "Identifier>File 0..32767 any any any any",
	"MsiServiceConfig":  "Identifier Formatted 0..7 any Formatted Identifier>Component",
	"MsiServiceConfigFailureActions": "Identifier Formatted 0..7 0..2147483647 Formatted Formatted Text Text " +
		"Identifier>Component",
	"Property":       "Identifier Text",
	"RegLocator":     "Identifier 0..3 RegPath Formatted 0..18",
	"Registry":       "Identifier -1..3 RegPath Formatted Formatted Identifier>Component",
	"RemoveFile":     "Identifier Identifier>Component WildCardFilename Identifier 1..3",
	"ServiceControl": "Identifier Formatted 0..187 Formatted 0..1 Identifier>Component",
	"ServiceInstall": "Identifier Formatted Formatted any 0..4 any Formatted Formatted Formatted Formatted Formatted " +
		"Identifier>Component Formatted",
	"Signature":   "Identifier Text Version Version 0..2147483647 0..2147483647 0..2147483647 0..2147483647 Language",
	"Upgrade":     "Guid Version Version Language 0..2147483647 Formatted UpperCase",
	"_Validation": "Identifier Identifier {Y;N} any any Text 1..32 {" + categories + "} Text Text",

	"AdminExecuteSequence":   sequenceRules,
	"AdminUISequence":        sequenceRules,
	"AdvtExecuteSequence":    sequenceRules,
	"InstallExecuteSequence": sequenceRules,
	"InstallUISequence":      sequenceRules,
}

const (
	sequenceRules = "Identifier Condition -4..32767"
	categories    = "Text;UpperCase;Identifier;Guid;Version;Language;Filename;WildCardFilename;DefaultDir;AnyPath;RegPath;Cabinet;" +
		"Property;Condition;Formatted;Template;CustomSource;Binary"
)

// rule is one word of a table's rules.
type rule struct {
	category string
	tables   []string // a row of one of them is named
	low      int
	high     int
	bounded  bool
	set      []string
}

func rulesOf(table string) (list []rule) {
	for _, word := range strings.Fields(rules[table]) {
		var r rule
		low, high, span := strings.Cut(word, "..")
		switch {
		case span:
			r.bounded = true
			r.low, _ = strconv.Atoi(low)
			r.high, _ = strconv.Atoi(high)
		case word[0] == '{':
			r.set = strings.Split(strings.Trim(word, "{}"), ";")
		case word != "any":
			var tables string
			if r.category, tables, _ = strings.Cut(word, ">"); tables != "" {
				r.tables = strings.Split(tables, ";")
			}
		}
		list = append(list, r)
	}
	return list
}

// Describe adds the table _Validation, with a row for every column of every table there is. It comes last.
func (d *Database) Describe() error {
	const own = "_Validation"
	names := []string{own}
	for _, t := range d.Tables {
		names = append(names, t.Name)
	}
	slices.Sort(names)
	for _, name := range names {
		cols, err := columns(name)
		if err != nil {
			return err
		}
		for i, r := range rulesOf(name) {
			if err := d.Add(own, r.row(name, cols[i])...); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r rule) row(table string, c Column) []any {
	row := []any{table, c.Name, "N", nil, nil, nil, nil, nil, nil}
	if c.nullable() {
		row[2] = "Y"
	}
	if r.bounded {
		row[3], row[4] = r.low, r.high
	}
	if len(r.tables) > 0 {
		row[5], row[6] = strings.Join(r.tables, ";"), 1
	}
	if r.category != "" {
		row[7] = r.category
	}
	if len(r.set) > 0 {
		row[8] = strings.Join(r.set, ";")
	}
	return row
}

// Validate checks every value against its column's rule: form, bounds, and that rows that are named are there. It finds what
// Windows Installer would trip over on a machine of a user.
func (d *Database) Validate() error {
	for _, t := range d.Tables {
		list := rulesOf(t.Name)
		if len(list) != len(t.Columns) {
			return fmt.Errorf("%w: no rules for %s", ErrTable, t.Name)
		}
		for _, row := range t.Rows {
			for i, v := range row {
				if v == nil {
					continue
				}
				if err := d.checkRule(list[i], v); err != nil {
					return fmt.Errorf("%w: %s.%s of %v: %w", ErrValue, t.Name, t.Columns[i].Name, row[0], err)
				}
			}
		}
	}
	return nil
}

func (d *Database) checkRule(r rule, v any) error {
	if n, ok := v.(int); ok && r.bounded && (n < r.low || n > r.high) {
		return fmt.Errorf("%d is not within %d and %d", n, r.low, r.high)
	}
	text, ok := v.(string)
	if !ok {
		return nil
	}
	if form := forms[r.category]; form != nil && !form.MatchString(text) {
		return fmt.Errorf("%q is no %s", text, r.category)
	}
	if len(r.set) > 0 && !slices.Contains(r.set, text) {
		return fmt.Errorf("%q is none of %v", text, r.set)
	}
	if len(r.tables) > 0 && !slices.ContainsFunc(r.tables, func(name string) bool { return d.has(name, text) }) {
		return fmt.Errorf("there is no %q in %v", text, r.tables)
	}
	return nil
}

// has tells whether a table has a row of a key.
func (d *Database) has(table, key string) bool {
	t := d.Table(table)
	return t != nil && slices.ContainsFunc(t.Rows, func(row []any) bool { return row[0] == key })
}
