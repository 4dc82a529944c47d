package xar

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	stampForm = "2006-01-02T15:04:05"
	dsig      = "http://www.w3.org/2000/09/xmldsig#"
)

// encodings of a file's bytes in the heap. What the table calls gzip is a zlib stream.
const (
	asStored  = "application/octet-stream"
	asDeflate = "application/x-gzip"
)

// sheet is XML being written.
type sheet struct{ bytes.Buffer }

func (s *sheet) tag(name string, value any) {
	fmt.Fprintf(s, "<%s>", name)
	_ = xml.EscapeText(s, fmt.Append(nil, value)) // into memory
	fmt.Fprintf(s, "</%s>\n", name)
}

// table is the table of contents.
func (a Archive) table(alg algorithm, root *heapFile) []byte {
	var s sheet
	s.WriteString(xml.Header + "<xar>\n<toc>\n")
	s.tag("creation-time", a.Time.UTC().Format(stampForm))
	offset := int64(alg.hash.Size())
	fmt.Fprintf(&s, "<checksum style=%q>\n", alg.style)
	s.tag("offset", 0)
	s.tag("size", offset)
	s.WriteString("</checksum>\n")
	for _, sig := range a.Signatures {
		s.signature(sig, offset)
		offset += sig.Size
	}
	for _, p := range root.below {
		s.file(p, alg)
	}
	s.WriteString("</toc>\n</xar>\n")
	return s.Bytes()
}

func (s *sheet) signature(sig Signature, offset int64) {
	fmt.Fprintf(s, "<%s style=%q>\n", sig.Element, sig.Style)
	s.tag("offset", offset)
	s.tag("size", sig.Size)
	fmt.Fprintf(s, "<KeyInfo xmlns=%q>\n<X509Data>\n", dsig)
	for _, c := range sig.Chain {
		s.tag("X509Certificate", base64.StdEncoding.EncodeToString(c))
	}
	fmt.Fprintf(s, "</X509Data>\n</KeyInfo>\n</%s>\n", sig.Element)
}

func (s *sheet) file(p *heapFile, alg algorithm) {
	fmt.Fprintf(s, "<file id=\"%d\">\n", p.number)
	if p.Mode.IsRegular() {
		s.data(p, alg)
	}
	for _, word := range []string{"ctime", "mtime", "atime"} {
		s.tag(word, stamp(p.Time))
	}
	s.tag("group", "wheel")
	s.tag("gid", 0)
	s.tag("user", "root")
	s.tag("uid", 0)
	s.tag("mode", fmt.Sprintf("%04o", p.Mode.Perm()))
	s.tag("deviceno", 0)
	s.tag("inode", p.number)
	if p.Mode.IsDir() {
		s.tag("type", "directory")
	} else {
		s.tag("type", "file")
	}
	s.name(base(p.Name))
	for _, b := range p.below {
		s.file(b, alg)
	}
	s.WriteString("</file>\n")
}

func (s *sheet) data(p *heapFile, alg algorithm) {
	encoding := asStored
	if p.packed {
		encoding = asDeflate
	}
	s.WriteString("<data>\n")
	s.tag("length", p.length)
	s.tag("offset", p.offset)
	s.tag("size", len(p.Data))
	fmt.Fprintf(s, "<encoding style=%q/>\n", encoding)
	fmt.Fprintf(s, "<archived-checksum style=%q>%s</archived-checksum>\n", alg.style, p.stored)
	fmt.Fprintf(s, "<extracted-checksum style=%q>%s</extracted-checksum>\n", alg.style, p.full)
	s.WriteString("</data>\n")
}

// name writes a name; what XML cannot carry goes as base64.
func (s *sheet) name(name string) {
	if !utf8.ValidString(name) || bytes.ContainsFunc([]byte(name), func(r rune) bool { return !unicode.IsPrint(r) }) {
		fmt.Fprintf(s, "<name enctype=\"base64\">%s</name>\n", base64.StdEncoding.EncodeToString([]byte(name)))
		return
	}
	s.tag("name", name)
}

func base(name string) string {
	for i := len(name) - 1; i >= 0; i-- {
		if name[i] == '/' {
			return name[i+1:]
		}
	}
	return name
}

func stamp(t time.Time) string { return t.UTC().Format(stampForm) + "Z" }
