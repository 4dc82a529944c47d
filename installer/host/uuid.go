package host

import (
	"crypto/rand"
	"encoding/hex"
)

// NewUUID is a random UUID (RFC 9562, version 4) in lower case.
func NewUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	return UUID(b)
}

// UUID writes 16 bytes of chance, or of a hash, as a UUID of version 4 in lower case. Six of their bits are not used.
func UUID(b [16]byte) string {
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	text := make([]byte, 0, 36)
	for i, part := range [][]byte{b[:4], b[4:6], b[6:8], b[8:10], b[10:]} {
		if i > 0 {
			text = append(text, '-')
		}
		text = hex.AppendEncode(text, part)
	}
	return string(text)
}
