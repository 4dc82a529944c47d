package ledger

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// Whatever a slot holds: a record that is read is written and read again as it was, what a later version put in included.
func FuzzLedger(f *testing.F) {
	l := Ledger{}
	l.Revision = 3
	l.NoteConfirmed(manifests.MustVersion("9.1.0.0"), "0a", time.Unix(1700000000, 0).UTC())
	l.Block(manifests.MustVersion("9.2.0.0"), "no heartbeat", true, time.Unix(1700000000, 0).UTC())
	l.NoteAccepted("aws.ssm.2b196342-d7d4-436e-8f09-3883a1116ac3.mi-0123456789abcdef0")
	l.Open = &Update{Stop: "watch"}
	text, err := json.Marshal(l)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text, true)
	f.Add([]byte(`{"revision":1,"later":{"a":[1]},"open":{"stop":"plan","later":1}}`), true)
	f.Add([]byte(`{`), true)
	whole, err := encodeSlot(l)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bytes.TrimRight(whole, " "), false)
	f.Add([]byte(slotHead+"9 x\n{}"), false)
	f.Fuzz(func(t *testing.T, text []byte, sealed bool) {
		if sealed {
			text = append([]byte(slotHead+strconv.Itoa(len(text))+" "+host.SHA256Bytes(text)+"\n"), text...)
		}
		if len(text) > slotSize {
			return
		}
		path := filepath.Join(t.TempDir(), "ledger")
		both := append(append(text, bytes.Repeat([]byte{' '}, slotSize-len(text))...), bytes.Repeat([]byte{' '}, slotSize)...)
		if err := os.WriteFile(path, both, 0o600); err != nil {
			t.Fatal(err)
		}
		led, slot, _, err := readLedger(path)
		if err != nil || slot < 0 {
			return
		}
		again, err := encodeSlot(led)
		if err != nil {
			return // it needs more room than there is
		}
		back, err := decodeSlot(again)
		if err != nil {
			t.Fatal(err)
		}
		if third, err := encodeSlot(back); err != nil || !bytes.Equal(third, again) {
			t.Errorf("%s became %s, %v", bytes.TrimRight(again, " "), bytes.TrimRight(third, " "), err)
		}
	})
}

func FuzzRequest(f *testing.F) {
	l := installer.At(f.TempDir())
	path, err := Deposit(l, Request{Want: "9.2.0.0", Why: ByDocument, ReplyTo: &ReplyTo{MessageID: "aws.ssm.x.mi-1"},
		Asked: time.Unix(1700000000, 0)}, HandedOver)
	if err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add(bytes.Repeat([]byte("x"), longestRequest+1))
	f.Fuzz(func(t *testing.T, text []byte) {
		l := installer.At(t.TempDir())
		if err := os.MkdirAll(askDir(l), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(askDir(l), "x"+ForLater), text, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, r := range Waiting(l, time.Now()) {
			if r.ID != "x" {
				t.Errorf("%q waits under x", r.ID)
			}
		}
		_, _ = ReadRequest(filepath.Join(askDir(l), "x"+ForLater))
	})
}
