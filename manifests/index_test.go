package manifests_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests"
)

const anIndex = `{"schema":1,"colour":"blue",
 "versions":{"9.2.0.0":{"published":"2026-11-29T20:00:00Z","percent":25,"wave":2},"9.1":{}},
 "halted":{"since":"2026-11-29T21:00:00Z","reason":"loops","by":"ops"},
 "withdrawn":[{"from":"9.1.0.0","to":"9.1.3.0","go":"9.1.4.0","reason":"leaks","case":7}],
 "floor":"9.0.0.0","minimum":{"updater":"9.1.0.0","launcher":"9.0.0.0","shell":"x"}}`

func TestAnIndexKeepsMembersItDoesNotKnow(t *testing.T) {
	x, err := manifests.ParseIndex([]byte(anIndex))
	if err != nil {
		t.Fatal(err)
	}
	x.Publish(manifests.MustVersion("9.3.0.0"), time.Date(2026, 12, 1, 0, 0, 0, 5, time.UTC))
	again, err := manifests.ParseIndex(x.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	text := string(again.Bytes())
	for _, want := range []string{`"colour": "blue"`, `"wave": 2`, `"by": "ops"`, `"case": 7`, `"shell": "x"`,
		`"published": "2026-12-01T00:00:00Z"`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is gone:\n%s", want, text)
		}
	}
	if text != string(x.Bytes()) {
		t.Errorf("reading and writing changes it:\n%s\n%s", x.Bytes(), text)
	}
}

func TestAnIndexSaysWhatShareOfHostsAVersionIsFor(t *testing.T) {
	x, err := manifests.ParseIndex([]byte(anIndex))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int{"9.2.0.0": 25, "9.1.0.0": 100, "9.9.0.0": 100} {
		if got := x.Rollout(manifests.MustVersion(text)).Share(); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
	var none *manifests.Index
	if none.Rollout(manifests.MustVersion("9.2")).Share() != 100 {
		t.Error("a region without an index")
	}
	before := x.Rollout(manifests.MustVersion("9.2")).Published
	x.Publish(manifests.MustVersion("9.2"), time.Now())
	if r := x.Rollout(manifests.MustVersion("9.2")); !r.Published.Equal(before) || r.Share() != 25 {
		t.Errorf("publishing again changed what was said: %+v", r)
	}
}

func TestAWithdrawalCoversItsVersionsOnly(t *testing.T) {
	x, err := manifests.ParseIndex([]byte(anIndex))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{"9.0.9.9": false, "9.1": true, "9.1.3.0": true, "9.1.3.1": false} {
		if w, ok := x.Replacement(manifests.MustVersion(text)); ok != want || ok && w.Go != manifests.MustVersion("9.1.4") {
			t.Errorf("%s: %v %+v", text, ok, w)
		}
	}
}

func TestAnIndexBeyondItsBoundsIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"empty":            "",
		"a page":           "<html>",
		"cut off":          anIndex[:80],
		"a list":           "[]",
		"no schema":        "{}",
		"newer schema":     `{"schema":2}`,
		"above 100":        `{"schema":1,"versions":{"9.1.0.0":{"percent":101}}}`,
		"below 0":          `{"schema":1,"versions":{"9.1.0.0":{"percent":-1}}}`,
		"goes into itself": `{"schema":1,"withdrawn":[{"from":"9.1","to":"9.2","go":"9.1.5"}]}`,
		"upside down":      `{"schema":1,"withdrawn":[{"from":"9.2","to":"9.1","go":"9.3"}]}`,
		"no way out":       `{"schema":1,"withdrawn":[{"from":"9.1","to":"9.2"}]}`,
		"a bad floor":      `{"schema":1,"floor":"x"}`,
		"too long":         `{"schema":1,"a":"` + strings.Repeat("x", manifests.MaxIndex) + `"}`,
		"many withdrawals": `{"schema":1,"withdrawn":[` + strings.Repeat(`{"from":"9.1","to":"9.1","go":"9.3"},`, 1000) +
			`{"from":"9.1","to":"9.1","go":"9.3"}]}`,
	} {
		if _, err := manifests.ParseIndex([]byte(text)); !errors.Is(err, manifests.ErrIndex) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
