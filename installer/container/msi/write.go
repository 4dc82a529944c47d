package msi

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/ssm-setup/ssm-setup/installer/container/cfb"
)

const summaryStream = "\x05SummaryInformation"

// Write writes a database.
func Write(w io.Writer, d *Database) error {
	streams, err := d.encode()
	if err != nil {
		return err
	}
	s := d.Summary
	if s.PackageCode == "" {
		s.PackageCode = codeOf(s, streams)
	}
	b, err := s.bytes()
	if err != nil {
		return err
	}
	var all []cfb.Stream
	for _, s := range append([]Stream{{summaryStream, b}}, streams...) {
		all = append(all, cfb.Bytes(s.Name, s.Data))
	}
	return cfb.Write(w, class, all)
}

// codeOf is the package code of a content.
func codeOf(s Summary, streams []Stream) string {
	h := sha256.New()
	fmt.Fprintf(h, "%+v", s)
	for _, s := range streams {
		fmt.Fprintf(h, "\n%q %d\n", s.Name, len(s.Data))
		h.Write(s.Data)
	}
	return GUID("package", string(h.Sum(nil)))
}

// space is the name space of every GUID of ours.
var space = uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://github.com/ssm-setup/ssm-setup/installer/pack/msi"))

// GUID makes a GUID from words: the same words, the same GUID, for ever (UUID version 5). In the form of the installer's tables.
func GUID(words ...string) string {
	return "{" + strings.ToUpper(uuid.NewSHA1(space, []byte(strings.Join(words, "\x00"))).String()) + "}"
}

// encode makes all streams but the summary, with the names they have in the file.
func (d *Database) encode() ([]Stream, error) {
	p := newPool()
	tables := slices.SortedFunc(slices.Values(d.Tables), func(a, b *Table) int { return cmp.Compare(a.Name, b.Name) })
	raw := map[string][][]uint32{}
	var streams []Stream
	names := Table{Name: "_Tables", Columns: []Column{{"Name", "s64", true}}}
	cols := Table{Name: "_Columns", Columns: []Column{{"Table", "s64", true}, {"Number", "i2", true}, {"Name", "s64", false},
		{"Type", "i2", false}}}
	for _, t := range tables {
		names.Rows = append(names.Rows, []any{t.Name})
		for i, c := range t.Columns {
			cols.Rows = append(cols.Rows, []any{t.Name, i + 1, c.Name, c.bits()})
		}
	}
	tables = append([]*Table{&names, &cols}, tables...)
	for _, t := range tables {
		rows, data, err := t.encode(p)
		if err != nil {
			return nil, err
		}
		raw[t.Name] = rows
		streams = append(streams, data...)
	}
	for _, s := range d.Streams {
		streams = append(streams, Stream{squeeze(s.Name, false), s.Data})
	}
	index, data := p.streams()
	out := []Stream{{squeeze("_StringPool", true), index}, {squeeze("_StringData", true), data}}
	for _, t := range tables {
		out = append(out, Stream{squeeze(t.Name, true), columnwise(raw[t.Name], t.Columns, p.width())})
	}
	return append(out, streams...), nil
}

// encode makes the raw rows, sorted by key, and the streams of binary columns.
func (t *Table) encode(p *pool) (rows [][]uint32, streams []Stream, err error) {
	for _, row := range t.Rows {
		raw := make([]uint32, len(row))
		var key []string
		for i, c := range t.Columns {
			switch v := row[i].(type) {
			case string:
				raw[i] = uint32(p.number(v))
			case int:
				raw[i] = flipSign(v, c.size())
			case []byte:
				raw[i] = 1
				streams = append(streams, Stream{squeeze(t.Name+"."+strings.Join(key, "."), false), v})
			}
			if c.Key {
				key = append(key, fmt.Sprint(row[i]))
			}
		}
		rows = append(rows, raw)
	}
	n := 0
	for n < len(t.Columns) && t.Columns[n].Key {
		n++
	}
	slices.SortFunc(rows, func(a, b []uint32) int { return slices.Compare(a[:n], b[:n]) })
	for i := range len(rows) - 1 {
		if slices.Equal(rows[i][:n], rows[i+1][:n]) {
			return nil, nil, fmt.Errorf("%w: %s, %s", ErrKey, t.Name, t.keyOf(rows[i][0], p))
		}
	}
	return rows, streams, nil
}

// keyOf names a row for people.
func (t *Table) keyOf(raw uint32, p *pool) string {
	if t.Columns[0].isText() && raw > 0 {
		return p.texts[raw-1]
	}
	return fmt.Sprint(raw)
}

// flipSign is a number with its sign turned.
func flipSign(v, width int) uint32 {
	if width == 2 {
		return uint32(uint16(v) ^ 0x8000)
	}
	return uint32(v) ^ 0x80000000
}

// columnwise lays rows down, column after column.
func columnwise(rows [][]uint32, columns []Column, stringWidth int) []byte {
	var b []byte
	for i, c := range columns {
		n := c.width(stringWidth)
		for _, row := range rows {
			b = append(b, binary.LittleEndian.AppendUint32(nil, row[i])[:n]...)
		}
	}
	return b
}
