package ledger_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

func host(t *testing.T) installer.Layout {
	t.Helper()
	l := installer.At(t.TempDir())
	if err := os.MkdirAll(l.Data(), 0o755); err != nil {
		t.Fatal(err)
	}
	return l
}

func note(t *testing.T, l installer.Layout, d ledger.Decision) []ledger.Decision {
	t.Helper()
	if err := ledger.NoteDecision(l, d); err != nil {
		t.Fatal(err)
	}
	list, err := ledger.Decisions(l)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

var version = manifests.MustVersion("9.1.0.0")

// A host that looks every hour for a year has one entry, and what happened before is still told.
func TestTheSameDecisionAgainCountsUp(t *testing.T) {
	l, first := host(t), time.Date(2030, 1, 2, 3, 0, 0, 0, time.UTC)
	note(t, l, ledger.Decision{ID: "a", At: first, Reason: "updated", From: version, Running: manifests.MustVersion("9.2.0.0")})
	var list []ledger.Decision
	for n := range 100 {
		list = note(t, l, ledger.Decision{ID: fmt.Sprint(n), At: first.Add(time.Duration(n) * time.Hour), Why: ledger.ByTimer,
			Reason: "up-to-date",
			From:   version, Running: version})
	}
	last := list[len(list)-1]
	if len(list) != 2 || last.Times != 100 || !last.Since.Equal(first) || !last.At.Equal(first.Add(99*time.Hour)) {
		t.Fatalf("%+v", list)
	}
	// the same request again, as after a crash between two records, is the same entry
	if list = note(t, l, last); len(list) != 2 || list[1].Times != 100 {
		t.Errorf("%+v", list)
	}
	for n := range 3 { // a change is an entry of its own each time
		list = note(t, l, ledger.Decision{ID: fmt.Sprint("u", n), At: first, Reason: "updated", From: version,
			Running: manifests.MustVersion("9.2.0.0")})
	}
	if len(list) != 5 {
		t.Errorf("%d entries", len(list))
	}
}

func TestTheHistoryIsBoundedAndKeepsWhatALaterVersionWrote(t *testing.T) {
	l := host(t)
	if err := os.WriteFile(l.Decisions(), []byte(`{"decisions":[{"id":"x","reason":"later-code","at":"2030-01-02T03:00:00Z","later":{"a":1}}]}`),
		0o600); err != nil {
		t.Fatal(err)
	}
	list := note(t, l, ledger.Decision{ID: "a", Reason: "updated"})
	if text, err := os.ReadFile(l.Decisions()); err != nil || !strings.Contains(string(text), `"later":{"a":1}`) ||
		list[0].Reason != "later-code" {
		t.Errorf("%s, %v", text, err)
	}
	for n := range 200 {
		list = note(t, l, ledger.Decision{ID: fmt.Sprint(n), Reason: fmt.Sprint(n), Text: strings.Repeat("x", 600)})
	}
	if info, err := os.Stat(l.Decisions()); err != nil || len(list) != 50 || info.Size() > 64<<10 {
		t.Errorf("%d entries, %v, %v", len(list), info, err)
	}
}

func TestADamagedHistoryIsBegunAnewAndNeverInTheWay(t *testing.T) {
	for name, text := range map[string]string{"no JSON": "{", "another kind": `{"decisions":7}`, "empty": "", "too long": strings.Repeat(" ",
		300<<10),
		"an entry that is none": `{"decisions":[7,"x",{"at":"never"}]}`} {
		t.Run(name, func(t *testing.T) {
			l := host(t)
			if err := os.WriteFile(l.Decisions(), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if list, _ := ledger.Decisions(l); len(list) != 0 {
				t.Errorf("%+v", list)
			}
			if list := note(t, l, ledger.Decision{ID: "a", Reason: "updated"}); len(list) != 1 {
				t.Errorf("%+v", list)
			}
		})
	}
	if left, _ := filepath.Glob(filepath.Join(host(t).Data(), ".*")); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}
