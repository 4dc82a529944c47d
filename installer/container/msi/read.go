package msi

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/container/cfb"
)

// Open reads a database of a size in bytes, also one that another program wrote. Tables and streams come in the order of
// their names.
//
// The tests of this room, installer/pack, installer/build and test/boot read. `ssm-setup verify` is to look at the structure of a
// package with it, too; today it looks at the signature alone.
func Open(r io.ReaderAt, size int64) (*Database, error) {
	f, err := cfb.Open(r, size)
	if err != nil {
		return nil, err
	}
	if f.Class != class {
		return nil, fmt.Errorf("%w: another kind of compound file", ErrFormat)
	}
	d := &Database{}
	if b, err := f.Stream(summaryStream); err != nil {
		return nil, err
	} else if d.Summary, err = readSummary(b); err != nil {
		return nil, err
	}
	o := opening{f: f, binaries: map[string]bool{}}
	if err := o.pool(); err != nil {
		return nil, err
	}
	if d.Tables, err = o.tables(); err != nil {
		return nil, err
	}
	d.Streams, err = o.streams()
	return d, err
}

// opening is a file being read.
type opening struct {
	f        *cfb.File
	texts    []string
	width    int
	binaries map[string]bool // streams that belong to rows
}

func (o *opening) pool() error {
	index, err := o.f.Stream(squeeze("_StringPool", true))
	if err != nil {
		return err
	}
	data, err := o.f.Stream(squeeze("_StringData", true))
	if err != nil {
		return err
	}
	o.texts, o.width, err = readPool(index, data)
	return err
}

// tables reads what _Columns names.
func (o *opening) tables() ([]*Table, error) {
	system := &Table{Name: "_Columns", Columns: []Column{{"Table", "s64", true}, {"Number", "i2", true}, {"Name", "s64", false},
		{"Type", "i2", false}}}
	if err := o.rows(system); err != nil {
		return nil, err
	}
	byName := map[string]*Table{}
	var list []*Table
	slices.SortFunc(system.Rows, func(a, b []any) int {
		if n := strings.Compare(fmt.Sprint(a[0]), fmt.Sprint(b[0])); n != 0 {
			return n
		}
		return numberOf(a[1]) - numberOf(b[1])
	})
	for _, row := range system.Rows {
		name, _ := row[0].(string)
		column, _ := row[2].(string)
		bits := numberOf(row[3])
		if bits < 0 || name == "" {
			return nil, fmt.Errorf("%w: a column of %q", ErrFormat, name)
		}
		c := columnOf(column, bits)
		if !c.isText() && !c.isBinary() && c.size() != 2 && c.size() != 4 {
			return nil, fmt.Errorf("%w: column %s.%s has type %x", ErrFormat, name, column, bits)
		}
		t := byName[name]
		if t == nil {
			t = &Table{Name: name}
			byName[name], list = t, append(list, t)
		}
		t.Columns = append(t.Columns, c)
	}
	for _, t := range list {
		if err := o.rows(t); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func numberOf(v any) int { n, _ := v.(int); return n }

// rows reads the stream of a table; a table without rows may have none.
func (o *opening) rows(t *Table) error {
	name := squeeze(t.Name, true)
	if o.f.Size(name) < 0 {
		return nil
	}
	b, err := o.f.Stream(name)
	if err != nil {
		return err
	}
	total := 0
	for _, c := range t.Columns {
		total += c.width(o.width)
	}
	if total == 0 || len(b)%total != 0 {
		return fmt.Errorf("%w: table %s has %d bytes in rows of %d", ErrFormat, t.Name, len(b), total)
	}
	t.Rows = make([][]any, len(b)/total)
	for i := range t.Rows {
		t.Rows[i] = make([]any, len(t.Columns))
	}
	for i, c := range t.Columns {
		n := c.width(o.width)
		for _, row := range t.Rows {
			if row[i], err = o.value(t, c, row, b[:n]); err != nil {
				return err
			}
			b = b[n:]
		}
	}
	return nil
}

func (o *opening) value(t *Table, c Column, row []any, b []byte) (any, error) {
	raw := uint32(0)
	for i, v := range b {
		raw |= uint32(v) << (8 * i)
	}
	switch {
	case raw == 0:
		return nil, nil
	case c.isText():
		if int64(raw) >= int64(len(o.texts)) {
			return nil, fmt.Errorf("%w: %s.%s names string %d of %d", ErrFormat, t.Name, c.Name, raw, len(o.texts))
		}
		return o.texts[raw], nil
	case c.isBinary():
		var key []string
		for i, k := range t.Columns {
			if k.Key {
				key = append(key, fmt.Sprint(row[i]))
			}
		}
		name := squeeze(t.Name+"."+strings.Join(key, "."), false)
		o.binaries[name] = true
		return o.f.Stream(name)
	case len(b) == 2:
		return int(int16(raw ^ 0x8000)), nil
	}
	return int(int32(raw ^ 0x80000000)), nil
}

// streams are all that are no table and belong to no row.
func (o *opening) streams() ([]Stream, error) {
	var list []Stream
	for _, name := range o.f.Names {
		plain, table := unsqueeze(name)
		if table || o.binaries[name] || name == summaryStream {
			continue
		}
		b, err := o.f.Stream(name)
		if err != nil {
			return nil, err
		}
		list = append(list, Stream{plain, b})
	}
	slices.SortFunc(list, func(a, b Stream) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}
