package msi

import (
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

// Add adds a row to one of the tables that are known; a table is there from its first row on. Values are given in the order of the
// columns; those left out are nothing.
func (d *Database) Add(table string, values ...any) error {
	t, err := d.table(table)
	if err != nil {
		return err
	}
	if len(values) > len(t.Columns) {
		return fmt.Errorf("%w: %s has %d columns, not %d", ErrTable, table, len(t.Columns), len(values))
	}
	row := make([]any, len(t.Columns))
	for i, c := range t.Columns {
		if i < len(values) {
			row[i] = values[i]
		}
		if row[i] == "" {
			row[i] = nil
		}
		if err := c.check(row[i]); err != nil {
			return fmt.Errorf("%s.%s: %w", table, c.Name, err)
		}
	}
	t.Rows = append(t.Rows, row)
	return nil
}

// table finds a table, or begins it.
func (d *Database) table(name string) (*Table, error) {
	if t := d.Table(name); t != nil {
		return t, nil
	}
	cols, err := columns(name)
	if err != nil {
		return nil, err
	}
	t := &Table{Name: name, Columns: cols}
	d.Tables = append(d.Tables, t)
	return t, nil
}

// Table finds a table by its name; nil without one.
func (d *Database) Table(name string) *Table {
	i := slices.IndexFunc(d.Tables, func(t *Table) bool { return t.Name == name })
	if i < 0 {
		return nil
	}
	return d.Tables[i]
}

// Stream finds a stream by its name; nil without one.
func (d *Database) Stream(name string) []byte {
	i := slices.IndexFunc(d.Streams, func(s Stream) bool { return s.Name == name })
	if i < 0 {
		return nil
	}
	return d.Streams[i].Data
}

// check tells whether a column takes a value.
func (c Column) check(v any) error {
	switch v := v.(type) {
	case nil:
		if c.nullable() {
			return nil
		}
	case string:
		if n := utf8.RuneCountInString(v); c.isText() && utf8.ValidString(v) && (c.size() == 0 || n <= c.size()) && len(v) <= math.MaxUint16 {
			return nil
		}
	case int:
		if !c.isText() && !c.isBinary() && fitsWidth(v, c.size()) {
			return nil
		}
	case []byte:
		if c.isBinary() {
			return nil
		}
	}
	return fmt.Errorf("%w: %#v is no %s", ErrValue, v, c.Type)
}

// fitsWidth: the lowest number of each width stands for nothing.
func fitsWidth(v, width int) bool {
	if width == 2 {
		return v > math.MinInt16 && v <= math.MaxInt16
	}
	return int64(v) > math.MinInt32 && int64(v) <= math.MaxInt32
}
