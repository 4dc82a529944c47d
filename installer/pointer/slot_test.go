package pointer_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// encodeWith writes a slot with one more line, as a later version would.
func encodeWith(t *testing.T, s pointer.State, line string) []byte {
	t.Helper()
	b := encode(t, s)
	return slot(string(b[:bytes.LastIndex(b, []byte("sum="))]) + line)
}

// slot finishes a slot by the rule of the format and not by its code: everything ahead of the line "sum=" is hashed.
func slot(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	text += "sum=" + hex.EncodeToString(sum[:]) + "\n"
	return []byte(text + strings.Repeat(" ", pointer.SlotSize-1-len(text)) + "\n")
}
