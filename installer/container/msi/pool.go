package msi

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// Code pages of the pool: plain ASCII is given as what every Windows has; else UTF-8.
const (
	pageLatin = 1252
	pageUTF8  = 65001
	wideRefs  = 0x8000 // three bytes to a string's number, in the high word of the code page
)

// pool has every text once, under the number it got at its first use. 0 is nothing.
type pool struct {
	numbers map[string]int
	texts   []string
	uses    []int
}

func newPool() *pool { return &pool{numbers: map[string]int{}} }

func (p *pool) number(text string) int {
	if text == "" {
		return 0
	}
	n, ok := p.numbers[text]
	if !ok {
		p.texts, p.uses = append(p.texts, text), append(p.uses, 0)
		n = len(p.texts)
		p.numbers[text] = n
	}
	p.uses[n-1]++
	return n
}

// width is how many bytes a number takes in tables.
func (p *pool) width() int {
	if len(p.texts) > 0xFFFF {
		return 3
	}
	return 2
}

// streams are _StringPool and _StringData. A count of uses that does not fit is given as the highest one.
func (p *pool) streams() (index, data []byte) {
	le := binary.LittleEndian
	page, flags := uint16(pageLatin), uint16(0)
	for i, text := range p.texts {
		if len(text) != utf8.RuneCountInString(text) {
			page = pageUTF8 & 0xFFFF
		}
		index = le.AppendUint16(index, uint16(len(text)))
		index = le.AppendUint16(index, uint16(min(p.uses[i], 0xFFFF)))
		data = append(data, text...)
	}
	if p.width() == 3 {
		flags = wideRefs
	}
	return append(le.AppendUint16(le.AppendUint16(nil, page), flags), index...), data
}

// readPool reads both streams; the texts are by number.
func readPool(index, data []byte) (texts []string, width int, err error) {
	le := binary.LittleEndian
	if len(index) < 4 || len(index)%4 != 0 {
		return nil, 0, fmt.Errorf("%w: string pool of %d bytes", ErrFormat, len(index))
	}
	width = 2
	if le.Uint16(index[2:])&wideRefs != 0 {
		width = 3
	}
	texts = []string{""}
	for index = index[4:]; len(index) >= 4; index = index[4:] {
		n, uses := int(le.Uint16(index)), int(le.Uint16(index[2:]))
		if n == 0 && uses != 0 && len(index) >= 8 { // a text above 64 KiB has its length in the next place
			index = index[4:]
			n = int(le.Uint32(index) & 0x7FFFFFFF)
		}
		if n > len(data) {
			return nil, 0, fmt.Errorf("%w: string %d lies outside", ErrFormat, len(texts))
		}
		texts, data = append(texts, string(data[:n])), data[n:]
	}
	return texts, width, nil
}
