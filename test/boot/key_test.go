//go:build boot && linux

package boot_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// born is when keys of tests were made: before any commit of this source.
var born = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// newKey makes a key that signs; it expires after so many seconds, 0: never.
func newKey(name string, life uint32) *openpgp.Entity {
	e, err := openpgp.NewEntity(name, "for tests", "keys@example.test", &packet.Config{Time: func() time.Time { return born },
		KeyLifetimeSecs: life})
	if err != nil {
		panic(err)
	}
	return e
}

// writeKey writes a key as text, with or without its secrets.
func writeKey(file string, e *openpgp.Entity, secret bool) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	kind := openpgp.PublicKeyType
	if secret {
		kind = openpgp.PrivateKeyType
	}
	w, err := armor.Encode(f, kind, nil)
	if err != nil {
		return err
	}
	if secret {
		err = e.SerializePrivate(w, &packet.Config{Time: func() time.Time { return born }})
	} else {
		err = e.Serialize(w)
	}
	if err != nil {
		return err
	}
	return w.Close()
}

// keyFile writes a key into a folder of the test.
func keyFile(t *testing.T, e *openpgp.Entity, secret bool) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key.asc")
	must(t, writeKey(file, e, secret))
	return file
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	return b
}
