package pointer_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

func TestTheRingBeginsWithWhatIsToRun(t *testing.T) {
	on := func(v string) pointer.Target {
		if v == "" || v == pointer.Floor {
			return pointer.Target{Version: v}
		}
		return pointer.Target{Version: v, Hash: hashA}
	}
	for _, c := range []struct {
		name                    string
		active, previous, aside string
		seen, floor             string
		torn, probation, noMore bool
		want                    string
	}{
		{name: "fresh", active: "floor", seen: "9.1.0.0", floor: "9.1.0.0", want: "floor"},
		{name: "no pointer", active: "floor", floor: "9.1.0.0", want: "floor"},
		{name: "updated", active: "9.2.0.0", previous: "floor", seen: "9.1.0.0", floor: "9.1.0.0", want: "9.2.0.0 floor"},
		{name: "twice", active: "9.3.0.0", previous: "9.2.0.0", seen: "9.1.0.0", floor: "9.1.0.0", want: "9.3.0.0 9.2.0.0 floor"},
		{name: "probation", active: "9.2.0.0", previous: "floor", seen: "9.1.0.0", floor: "9.1.0.0", probation: true, want: "9.2.0.0 floor"},
		{name: "tokens gone", active: "9.3.0.0", previous: "9.2.0.0", seen: "9.1.0.0", floor: "9.1.0.0", probation: true, noMore: true,
			want: "9.2.0.0 floor 9.3.0.0"},
		{name: "package newer", active: "9.2.0.0", previous: "9.1.5.0", seen: "9.1.0.0", floor: "9.3.0.0", want: "floor 9.2.0.0 9.1.5.0"},
		{name: "package as new", active: "9.2.0.0", previous: "floor", seen: "9.1.0.0", floor: "9.2.0.0", want: "floor 9.2.0.0"},
		{name: "package newer, half done", active: "9.2.0.0", previous: "floor", seen: "9.1.0.0", floor: "9.3.0.0", torn: true,
			want: "9.2.0.0 floor"},
		{name: "package newer, not as new", active: "9.4.0.0", previous: "floor", seen: "9.1.0.0", floor: "9.3.0.0", want: "9.4.0.0 floor"},
		{name: "package older on purpose", active: "9.2.0.0", previous: "floor", seen: "9.1.0.0", floor: "9.0.1.0", want: "floor 9.2.0.0"},
		{name: "same package again", active: "9.2.0.0", previous: "floor", seen: "9.1.0.0", floor: "9.1.0.0", want: "9.2.0.0 floor"},
		{name: "below the floor on purpose", active: "9.1.0.0", previous: "floor", seen: "9.2.0.0", floor: "9.2.0.0", want: "9.1.0.0 floor"},
		{name: "set aside", active: "floor", previous: "9.2.0.0", aside: "9.3.0.0", seen: "9.1.0.0", floor: "9.1.0.0",
			want: "floor 9.2.0.0 9.3.0.0"},
		{name: "active set aside", active: "9.3.0.0", previous: "9.2.0.0", aside: "9.3.0.0", seen: "9.1.0.0", floor: "9.1.0.0",
			want: "9.2.0.0 floor 9.3.0.0"},
		{name: "floor set aside", active: "floor", previous: "9.2.0.0", aside: "floor", seen: "9.1.0.0", floor: "9.1.0.0", want: "9.2.0.0 floor"},
		{name: "another floor than the one set aside", active: "9.2.0.0", previous: "9.1.5.0", aside: "floor", seen: "9.3.0.0", floor: "9.4.0.0",
			want: "floor 9.2.0.0 9.1.5.0"},
		{name: "package newer on probation", active: "9.2.0.0", previous: "floor", seen: "9.1.0.0", floor: "9.3.0.0", probation: true,
			noMore: true, want: "floor 9.2.0.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := pointer.State{Sequence: 4, Active: on(c.active), Previous: on(c.previous), SetAside: on(c.aside), Floor: c.seen,
				Probation: c.probation}
			f := pointer.Facts{Floor: c.floor, Whole: !c.torn, Tokens: 3}
			if c.noMore {
				f.Tokens = 0
			}
			var got []string
			for _, target := range s.Ring(f) {
				got = append(got, target.Version)
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("ring %v, want %s", got, c.want)
			}
		})
	}
}

// Whatever is put together, the ring holds every target once and never lacks the floor.
func TestTheRingHoldsEveryTargetOnce(t *testing.T) {
	targets := []pointer.Target{{}, pointer.OnFloor(), {Version: "9.1.0.0", Hash: hashA}, {Version: "9.2.0.0", Hash: hashB}}
	for _, active := range targets[1:] {
		for _, previous := range targets {
			for _, aside := range targets {
				for bits := range 8 {
					s := pointer.State{Sequence: 1, Active: active, Previous: previous, SetAside: aside, Floor: "9.1.0.0", Probation: bits&1 != 0}
					ring := s.Ring(pointer.Facts{Floor: []string{"9.1.0.0", "9.5.0.0"}[bits>>1&1], Whole: true, Tokens: 3 * (bits >> 2)})
					for _, want := range []pointer.Target{active, previous, aside, pointer.OnFloor()} {
						n := 0
						for _, r := range ring {
							if r == want {
								n++
							}
						}
						if n != 1 && !want.IsZero() {
							t.Fatalf("%+v: %v holds %v %d times", s, ring, want, n)
						}
					}
					if slices.Contains(ring, pointer.Target{}) {
						t.Fatalf("%+v: %v holds nothing", s, ring)
					}
				}
			}
		}
	}
}

func TestVersionsHaveFourParts(t *testing.T) {
	for _, v := range []string{"9.2.0.0", "0.0.0.0", "9.10.4294967295.1"} {
		if !pointer.IsVersion(v) {
			t.Errorf("%q is one", v)
		}
	}
	for _, v := range []string{
		"", "9", "9.2.0", "9.2.0.0.0", "9.2.0.", "9.2.0.x", "../9.2.0.0", "9.2.0.0/..", "-1.2.0.0", "9.2.0.12345678901",
	} {
		if pointer.IsVersion(v) {
			t.Errorf("%q is none", v)
		}
	}
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"9.2.0.0", "9.2.0.0", 0}, {"9.10.0.0", "9.9.0.0", 1}, {"9.1.9.9", "9.2.0.0", -1}, {"9.02.0.0", "9.2.0.0", 0},
		{"10.0.0.0", "9.9.9.9", 1},
	} {
		if got := pointer.Compare(c.a, c.b); got != c.want {
			t.Errorf("Compare(%s, %s) = %d", c.a, c.b, got)
		}
	}
}
