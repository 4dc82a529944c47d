package msi_test

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/container/msi"
)

// The bytes of a database are the same for ever, its package code among them.
func TestTheBytesOfADatabaseNeverChange(t *testing.T) {
	d := database(t, []any{"Property", "ProductName", "Ä product"}, []any{"Media", 1, 2, nil, "#a.cab"},
		[]any{"Binary", "b", []byte("binary")},
		[]any{"Component", "c", nil, "TARGETDIR", 256, nil, "f"})
	d.Streams = []msi.Stream{{Name: "a.cab", Data: []byte("cabinet")}}
	b := write(t, d)
	sum := sha256.Sum256(b)
	if got, want := hex.EncodeToString(sum[:]), "b4659dffc835d12393dc2145bced766cdc9e1b4e19fbc7209683798e8bb2ebf0"; got != want {
		t.Errorf("%d bytes, %s", len(b), got)
	}
}
