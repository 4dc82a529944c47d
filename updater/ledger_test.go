package updater_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/updater"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

func TestAHostWithoutUpdatesHasAnEmptyLedger(t *testing.T) {
	led, err := ledger.Read(installer.At(t.TempDir()))
	if err != nil || led.Open != nil || led.Last != nil {
		t.Fatalf("%+v, %v", led, err)
	}
}

func TestLedgerHasItsSizeFromTheStart(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	e.Crash = func(at string) bool { return at == "before ask" }
	_, err := e.Run(context.Background(), ledger.Request{}, func(string) {})
	if !errors.Is(err, updater.ErrCrashed) {
		t.Fatal(err)
	}
	before, err := os.Stat(w.layout.Ledger())
	must(t, err)
	must(t, w.engine().Resume(context.Background()))
	after, err := os.Stat(w.layout.Ledger())
	must(t, err)
	if before.Size() != after.Size() || !os.SameFile(before, after) {
		t.Errorf("%d bytes, then %d", before.Size(), after.Size())
	}
}

func TestATornSlotLeavesTheOtherOne(t *testing.T) {
	w := newWorld(t)
	w.run(ledger.Request{})
	whole, err := os.ReadFile(w.layout.Ledger())
	must(t, err)
	half := len(whole) / 2
	for _, at := range []int{0, half} {
		torn := bytes.Clone(whole)
		torn[at+200]++
		must(t, os.WriteFile(w.layout.Ledger(), torn, 0o600))
		if led, err := ledger.Read(w.layout); err != nil || led.Revision == 0 {
			t.Errorf("slot at %d: %+v, %v", at, led, err)
		}
	}
	must(t, os.WriteFile(w.layout.Ledger(), bytes.Repeat([]byte("x"), len(whole)), 0o600))
	if _, err := ledger.Read(w.layout); !errors.Is(err, ledger.ErrDamaged) {
		t.Errorf("both torn: %v", err)
	}
	if o := w.run(ledger.Request{}); o.Kind != "up-to-date" {
		t.Errorf("a damaged ledger stops updates: %+v", o)
	}
}

func TestUnknownFieldsAreKept(t *testing.T) {
	var led ledger.Ledger
	const text = `{"revision":3,"open":{"id":"a","since":"2030-01-01T00:00:00Z","moved":"2030-01-01T00:00:00Z",` +
		`"started":"2030-01-01T00:00:00Z",` +
		`"request":{},"stop":"ask","pid":1,"attempts":0,"tide":"high"},"moon":{"phase":7}}`
	must(t, led.UnmarshalJSON([]byte(text)))
	b, err := led.MarshalJSON()
	must(t, err)
	for _, want := range []string{`"tide":"high"`, `"moon":{"phase":7}`, `"revision":3`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("%s is lost in %s", want, b)
		}
	}
}

func TestManyUpdatesFitTheLedger(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	e.Reporter.Reply = func(context.Context, string, string, string) error { return errors.New("out of reach") }
	for i := range 9 {
		r := command(ledger.Request{Want: strings.Repeat("9", i*50)})
		r.ReplyTo.MessageID += strings.Repeat("x", i)
		if _, err := e.Run(context.Background(), r, func(string) {}); err != nil {
			t.Fatal(err)
		}
	}
	w.advance(72 * time.Hour)
	must(t, w.engine().Resume(context.Background()))
	if led, _ := ledger.Read(w.layout); len(led.Owed) != 0 {
		t.Errorf("answers are owed for ever: %d", len(led.Owed))
	}
}
