package manifests_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/manifests"
)

func TestVersionsHaveFourParts(t *testing.T) {
	good := map[string]string{
		"9.1.0.0":              "9.1.0.0",
		"3.3.0.06553":          "3.3.0.6553", // a build number with a leading zero
		"3.2.2303":             "3.2.2303.0", // three parts
		"  9.1.0.0\r\n":        "9.1.0.0",
		"\uFEFF9.1.0.0":        "9.1.0.0",
		"255.255.65535.999":    "255.255.65535.999",
		"0.0.0.0":              "0.0.0.0",
		"4294967295.0.0.0":     "4294967295.0.0.0",
		"9":                    "9.0.0.0",
		"000000000000000009.1": "9.1.0.0",
	}
	for in, want := range good {
		v, err := manifests.ParseVersion(in)
		if err != nil || v.String() != want {
			t.Errorf("%q: %v, %v; want %s", in, v, err, want)
		}
	}
	bad := []string{"", " ", "latest", "9.1.0.0.0", "9..1", ".9", "9.", "-1.0", "+9.1", "9.1.x.0", "3.d.32.2", "4294967296.0.0.0",
		"9.1.0.0\n9.2.0.0", "<html>", "9,1", "9.1 .0", strings.Repeat("1", 65), "٩.1"}
	for _, in := range bad {
		if v, err := manifests.ParseVersion(in); !errors.Is(err, manifests.ErrVersion) {
			t.Errorf("%q: %v, %v; want ErrVersion", in, v, err)
		}
	}
}

func TestVersionsAreOrderedByNumbers(t *testing.T) {
	ascending := []string{"", "0.0.0.0", "2.1.5.0", "2.1.10.0", "3.3.0.999", "3.3.0.06553", "9.1.0.0", "9.1.0.1", "10.0.0.0"}
	for i, a := range ascending {
		for j, b := range ascending {
			var x, y manifests.Version
			if a != "" {
				x = manifests.MustVersion(a)
			}
			if b != "" {
				y = manifests.MustVersion(b)
			}
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := x.Compare(y); got != want {
				t.Errorf("%q against %q: %d, want %d", a, b, got, want)
			}
		}
	}
	if manifests.MustVersion("9.1") != manifests.MustVersion("9.1.0.0") {
		t.Error("9.1 and 9.1.0.0 differ")
	}
}

func TestAVersionFileHoldsOneVersion(t *testing.T) {
	for _, in := range []string{"9.1.0.0", "9.1.0.0\n", "\uFEFF9.1.0.0\r\n", " 9.1.0.0 "} {
		if v, err := manifests.ParseVersionFile([]byte(in)); err != nil || v.String() != "9.1.0.0" {
			t.Errorf("%q: %v, %v", in, v, err)
		}
	}
	bad := map[string]string{
		"":                        "empty",
		"<!DOCTYPE html>login":    "HTML",
		"9.1.0.0\n9.2.0.0":        "more than one line",
		"3.2.2303":                "four parts",
		"3.d.32.2":                "not a version",
		strings.Repeat("9", 2000): "bytes",
	}
	for in, why := range bad {
		_, err := manifests.ParseVersionFile([]byte(in))
		if !errors.Is(err, manifests.ErrVersionFile) || !strings.Contains(err.Error(), why) {
			t.Errorf("%.20q: %v; want it to say %q", in, err, why)
		}
	}
}

func TestAConstraintLooksAtThreeParts(t *testing.T) {
	list := []manifests.Version{}
	for _, s := range []string{"8.9.0.0", "9.0.5.0", "9.1.0.0", "9.1.0.3", "9.2.0.0", "10.0.0.0"} {
		list = append(list, manifests.MustVersion(s))
	}
	for text, want := range map[string]string{">=9.1": "10.0.0.0", "<10": "9.2.0.0", "~9.1": "9.1.0.3", "9.x": "9.2.0.0",
		">=9.1, <9.2": "9.1.0.3", "9.0.5.0": "9.0.5.0", "<1": "", "9.9.9.9": ""} {
		c, err := manifests.ParseConstraint(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := c.Newest(list).String(); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	for _, bad := range []string{"", "newest", ">=", "9.1.0.0.0"} {
		if _, err := manifests.ParseConstraint(bad); !errors.Is(err, manifests.ErrVersion) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzVersion(f *testing.F) {
	for _, s := range []string{"9.1.0.0", "3.3.0.06553", "\uFEFF1.2", "latest", "1.2.3.4.5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := manifests.ParseVersion(s)
		if err != nil {
			return
		}
		again, err := manifests.ParseVersion(v.String())
		if err != nil || again != v {
			t.Fatalf("%q prints %q, which reads %v, %v", s, v, again, err)
		}
	})
}
