package ledger_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// A power cut tears the first record of all: nothing was recorded for certain before, so the host is one without an update, and no damaged
// record stays until the next one.
func TestATornFirstRecordIsNoRecord(t *testing.T) {
	l := installer.At(t.TempDir())
	if err := os.MkdirAll(filepath.Dir(l.Ledger()), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := ledger.Open(l)
	if err != nil {
		t.Fatal(err)
	}
	blank, err := os.ReadFile(l.Ledger())
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Enter(ledger.Request{ID: "a"}, time.Now()); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(l.Ledger())
	if err != nil {
		t.Fatal(err)
	}
	for cut := 1; cut < 300; cut++ {
		if err := os.WriteFile(l.Ledger(), append(bytes.Clone(whole[:cut]), blank[cut:]...), 0o600); err != nil {
			t.Fatal(err)
		}
		led, err := ledger.Read(l)
		if torn := cut < bytes.IndexByte(whole, '}'); torn && (err != nil || led.Open != nil) {
			t.Fatalf("cut at %d: %+v, %v", cut, led.Open, err)
		}
	}
	spoilt := bytes.Clone(whole) // two records, both spoilt: that is damage
	spoilt[100]++
	spoilt[len(spoilt)/2+100] = 'x'
	if err := os.WriteFile(l.Ledger(), spoilt, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Read(l); !errors.Is(err, ledger.ErrDamaged) {
		t.Errorf("both spoilt: %v", err)
	}
}
