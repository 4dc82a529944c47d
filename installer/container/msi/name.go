package msi

import "strings"

// letters of names, in the order of their numbers; others stand as they are.
const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._"

// Marks of squeezed names: the first unit of a table, two letters, one letter.
const (
	markTable = 0x4840
	markTwo   = 0x3800
	markOne   = 0x4800
)

// squeeze makes the name of a stream in the file.
func squeeze(name string, table bool) string {
	var out []rune
	if table {
		out = append(out, markTable)
	}
	r := []rune(name)
	for i := 0; i < len(r); i++ {
		one := strings.IndexRune(letters, r[i])
		two := -1
		if one >= 0 && i+1 < len(r) {
			two = strings.IndexRune(letters, r[i+1])
		}
		switch {
		case one < 0:
			out = append(out, r[i])
		case two < 0:
			out = append(out, markOne+rune(one))
		default:
			out = append(out, markTwo+rune(one)+rune(two)<<6)
			i++
		}
	}
	return string(out)
}

// unsqueeze is the way back.
func unsqueeze(stream string) (name string, table bool) {
	var b strings.Builder
	for i, r := range []rune(stream) {
		switch {
		case r == markTable && i == 0:
			table = true
		case r >= markTwo && r < markOne:
			b.WriteByte(letters[(r-markTwo)&63])
			b.WriteByte(letters[(r-markTwo)>>6])
		case r >= markOne && r < markTable:
			b.WriteByte(letters[r-markOne])
		default:
			b.WriteRune(r)
		}
	}
	return b.String(), table
}
