package msi

import (
	"encoding/binary"
	"fmt"
	"time"
)

// Property ids and types of the summary.
const (
	idPage, idTitle, idSubject, idAuthor, idKeywords, idComments, idTemplate  = 1, 2, 3, 4, 5, 6, 7
	idCode, idCreated, idSaved, idSchema, idSource, idApplication, idSecurity = 9, 12, 13, 14, 15, 18, 19

	typeShort, typeLong, typeText, typeTime = 2, 3, 30, 64
)

// format is the FMTID of a summary, as it stands in the file.
var format = [16]byte{0xE0, 0x85, 0x9F, 0xF2, 0xF9, 0x4F, 0x68, 0x10, 0xAB, 0x91, 0x08, 0x00, 0x2B, 0x27, 0xB3, 0xD9}

const summaryHead = 48 // bytes before the one section

// since1601 are the seconds from 1601 to 1970.
const since1601 = 11644473600

// property is one value of the set.
type property struct {
	id    uint32
	value []byte
}

func (s Summary) bytes() ([]byte, error) {
	list := []property{{idPage, number(typeShort, pageLatin)}}
	for _, t := range []struct {
		id   uint32
		text string
	}{{idTitle, s.Title}, {idSubject, s.Subject}, {idAuthor, s.Author}, {idKeywords, s.Keywords}, {idComments, s.Comments},
		{idTemplate, s.Template}, {idCode, s.PackageCode}} {
		list = append(list, property{t.id, text(t.text)})
	}
	list = append(list, property{idCreated, moment(s.Time)}, property{idSaved, moment(s.Time)}, property{idSchema, number(typeLong, s.Schema)},
		property{idSource, number(typeLong, s.Source)}, property{idApplication, text(s.Application)}, property{idSecurity,
			number(typeLong, s.Security)})
	for _, t := range []string{s.Title, s.Subject, s.Author, s.Keywords, s.Comments, s.Template, s.PackageCode, s.Application} {
		for _, c := range []byte(t) {
			if c < 0x20 || c > 0x7E {
				return nil, fmt.Errorf("%w: %q in the summary is not ASCII", ErrValue, t)
			}
		}
	}
	return set(list), nil
}

func number(kind uint32, v int) []byte {
	le := binary.LittleEndian
	return le.AppendUint32(le.AppendUint32(nil, kind), uint32(v))
}

func text(v string) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(le.AppendUint32(nil, typeText), uint32(len(v)+1))
	b = append(append(b, v...), 0)
	return append(b, make([]byte, (4-len(b)%4)%4)...)
}

// moment is a time in pieces of 100 ns since 1601.
func moment(t time.Time) []byte {
	le := binary.LittleEndian
	return le.AppendUint64(le.AppendUint32(nil, typeTime), uint64((t.Unix()+since1601)*1e7))
}

// set is a property set of one section.
func set(list []property) []byte {
	le := binary.LittleEndian
	var index, values []byte
	at := uint32(8 + 8*len(list))
	for _, p := range list {
		index = le.AppendUint32(le.AppendUint32(index, p.id), at+uint32(len(values)))
		values = append(values, p.value...)
	}
	b := []byte{0xFE, 0xFF, 0, 0, 10, 0, 2, 0} // byte order, version, Windows 10
	b = append(b, make([]byte, 16)...)
	b = le.AppendUint32(b, 1)
	b = append(b, format[:]...)
	b = le.AppendUint32(b, summaryHead)
	b = le.AppendUint32(b, at+uint32(len(values)))
	b = le.AppendUint32(b, uint32(len(list)))
	return append(append(b, index...), values...)
}

// readSummary reads a set as [Summary.bytes] makes it.
func readSummary(b []byte) (s Summary, err error) {
	le := binary.LittleEndian
	if len(b) < summaryHead+8 || le.Uint16(b) != 0xFFFE || [16]byte(b[28:44]) != format || le.Uint32(b[44:]) != summaryHead {
		return s, fmt.Errorf("%w: summary", ErrFormat)
	}
	section := b[summaryHead:]
	count := int(le.Uint32(section[4:]))
	if count > 100 || len(section) < 8+8*count {
		return s, fmt.Errorf("%w: summary of %d properties", ErrFormat, count)
	}
	texts := map[uint32]*string{idTitle: &s.Title, idSubject: &s.Subject, idAuthor: &s.Author, idKeywords: &s.Keywords,
		idComments: &s.Comments, idTemplate: &s.Template, idCode: &s.PackageCode, idApplication: &s.Application}
	numbers := map[uint32]*int{idSchema: &s.Schema, idSource: &s.Source, idSecurity: &s.Security}
	for i := range count {
		id, at := le.Uint32(section[8+8*i:]), int(le.Uint32(section[12+8*i:]))
		if at < 0 || at > len(section)-8 {
			return s, fmt.Errorf("%w: summary property %d", ErrFormat, id)
		}
		value := section[at+4:]
		switch le.Uint32(section[at:]) {
		case typeText:
			n := int(le.Uint32(value))
			if n < 1 || n > len(value)-4 {
				return s, fmt.Errorf("%w: summary property %d", ErrFormat, id)
			}
			if to := texts[id]; to != nil {
				*to = string(value[4 : 4+n-1])
			}
		case typeLong:
			if to := numbers[id]; to != nil {
				*to = int(int32(le.Uint32(value)))
			}
		case typeTime:
			if len(value) >= 8 && id == idCreated {
				s.Time = time.Unix(int64(le.Uint64(value)/1e7)-since1601, 0).UTC()
			}
		}
	}
	return s, nil
}
