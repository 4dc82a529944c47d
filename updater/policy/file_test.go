package policy_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
	"github.com/ssm-setup/ssm-setup/updater/policy"
)

func layout(t *testing.T) installer.Layout {
	t.Helper()
	l := installer.At(t.TempDir())
	if err := os.MkdirAll(l.Data(), 0o755); err != nil {
		t.Fatal(err)
	}
	return l
}

func write(t *testing.T, l installer.Layout, text string) {
	t.Helper()
	if err := os.WriteFile(policy.File(l), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAPolicyThatCannotBeReadAllowsNothingAndIsNotWrittenOver(t *testing.T) {
	for name, text := range map[string]string{
		"no JSON":               `{"hold"`,
		"another kind":          `{"hold":"yes"}`,
		"a version that's none": `{"hold":{"version":"nine"}}`,
		"an empty file":         ``,
		"too long":              `{"hold":{"reason":"` + strings.Repeat("x", 64<<10) + `"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			l := layout(t)
			write(t, l, text)
			p, err := policy.Read(l)
			if !errors.Is(err, policy.ErrDamaged) {
				t.Fatalf("%+v, %v", p, err)
			}
			v := p.Decide(time.Now(), ver("9.3.0.0"), policy.Facts{Why: ledger.ByTimer})
			if v.Allowed || v.Reason != policy.Unreadable || !strings.Contains(v.Text, policy.File(l)) {
				t.Errorf("%+v", v)
			}
			if _, err := policy.Change(l, func(p *policy.Policy) { p.Cooldown = "3d" }); !errors.Is(err, policy.ErrDamaged) {
				t.Errorf("changed: %v", err)
			}
			if now, err := os.ReadFile(policy.File(l)); err != nil || string(now) != text {
				t.Errorf("the file is %q now, %v", now, err)
			}
		})
	}
	l := layout(t)
	if err := os.Mkdir(policy.File(l), 0o755); err != nil {
		t.Fatal(err)
	}
	if p, err := policy.Read(l); err == nil || p.Decide(time.Now(), ver("9.3.0.0"), policy.Facts{}).Allowed {
		t.Error("a folder of that name allows updates")
	}
}

func TestAChangeKeepsWhatALaterVersionWrote(t *testing.T) {
	l := layout(t)
	write(t, l, "\uFEFF"+`{"later":{"a":[1e3]},"windows":[{"start":"0 2 * * *","duration":"3h","later":1}]}`)
	until := at("2031-01-01 00:00")
	if _, err := policy.Change(l, func(p *policy.Policy) { p.Hold = &policy.Hold{Reason: "audit", Until: until} }); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(policy.File(l))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"a": [`, `1e3`, `"later": 1`, `"reason": "audit"`, `"start": "0 2 * * *"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	p, err := policy.Read(l)
	if err != nil || p.Hold == nil || !p.Hold.Until.Equal(until) || len(p.Windows) != 1 {
		t.Fatalf("%+v, %v", p, err)
	}
	if _, err := policy.Change(l, func(p *policy.Policy) { p.Hold = nil }); err != nil {
		t.Fatal(err)
	}
	if p, err := policy.Read(l); err != nil || p.Hold != nil || len(p.Windows) != 1 {
		t.Fatalf("%+v, %v", p, err)
	}
}

func TestAPolicyThatAsksForNothingLeavesNoFile(t *testing.T) {
	l := layout(t)
	for range 2 {
		if _, err := policy.Change(l, func(p *policy.Policy) { p.Hold = &policy.Hold{} }); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if p, err := policy.Change(l, func(p *policy.Policy) { p.Hold = nil }); err != nil || !p.Empty() {
				t.Fatal(p, err)
			}
		}
	}
	if left, err := filepath.Glob(filepath.Join(l.Data(), "*")); err != nil || len(left) > 0 {
		t.Errorf("left: %q, %v", left, err)
	}
}

func FuzzPolicy(f *testing.F) {
	f.Add(`{"hold":{"version":"9.2.0.0","reason":"audit","until":"2031-01-01T00:00:00Z"},"versions":">=9.3 <9.5"}`)
	f.Add(`{"windows":[{"start":"*/7 2-4 1,15 JAN-MAR SUN","duration":"1d12h","zone":"Europe/Berlin"}],"cooldown":"3d"}`)
	f.Add(`{"windows":[{"start":"0 0 30 2 *","duration":"1m","zone":"+14:00"}]}`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, text string) {
		l := installer.At(t.TempDir())
		if err := os.MkdirAll(l.Data(), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(policy.File(l), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		now := at("2029-11-24 12:00")
		p, err := policy.Read(l)
		v := p.Decide(now, ver("9.3.0.0"), policy.Facts{Why: ledger.ByTimer})
		if err != nil && v.Allowed || p.Check(now) != nil && v.Allowed {
			t.Errorf("%q allows an update", text)
		}
		if !v.Allowed && (v.Reason == "" || v.Text == "") {
			t.Errorf("%q refuses without a reason: %+v", text, v)
		}
	})
}
