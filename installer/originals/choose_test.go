package originals_test

import (
	"errors"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/originals"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

func TestWhatIsInstalledAskedForAndOfferedDecidesWhichAgent(t *testing.T) {
	const ours, original = originals.Ours, originals.Original
	both, neither := originals.Offered{Ours: true, Original: true}, originals.Offered{}
	onlyOurs, onlyOriginal := originals.Offered{Ours: true}, originals.Offered{Original: true}
	for name, c := range map[string]struct {
		wish  originals.Wish
		have  originals.Offered
		want  originals.Kind
		fault fault.Kind
	}{
		"only the original is offered":        {originals.Wish{}, onlyOriginal, original, ""},
		"only ours is offered":                {originals.Wish{}, onlyOurs, ours, ""},
		"of both ours":                        {originals.Wish{}, both, ours, ""},
		"nothing: our own words say so":       {originals.Wish{}, neither, ours, ""},
		"what is there stays":                 {originals.Wish{Installed: original}, both, original, ""},
		"ours stays":                          {originals.Wish{Installed: ours}, onlyOriginal, ours, ""},
		"the other is asked for":              {originals.Wish{Asked: original, Installed: ours}, both, original, ""},
		"ours is asked for":                   {originals.Wish{Asked: ours, Installed: original}, both, ours, ""},
		"the other is not offered":            {originals.Wish{Asked: ours, Installed: original}, onlyOriginal, "", fault.Refused},
		"what is asked for is not offered":    {originals.Wish{Asked: original}, onlyOurs, "", fault.Refused},
		"a version below 9":                   {originals.Wish{Version: "3.3.1.0"}, both, original, ""},
		"a version from 9":                    {originals.Wish{Version: "9.1.0.0"}, both, ours, ""},
		"a version of the other":              {originals.Wish{Installed: ours, Version: "3.3.1.0"}, both, "", fault.Refused},
		"a version of the other, asked for":   {originals.Wish{Asked: original, Installed: ours, Version: "3.3.1.0"}, both, original, ""},
		"a version that contradicts":          {originals.Wish{Asked: ours, Version: "3.3.1.0"}, both, "", fault.Usage},
		"a constraint decides nothing":        {originals.Wish{Version: ">=3.3"}, onlyOriginal, original, ""},
		"the version of pipeline tests is no": {originals.Wish{Version: "255.0.0.0"}, onlyOriginal, original, ""},
	} {
		got, err := originals.Choose(c.wish, func() (originals.Offered, error) { return c.have, nil })
		if got != c.want || (err == nil) != (c.fault == "") || err != nil && fault.Of(err) != c.fault {
			t.Errorf("%s: %q, %v (%s)", name, got, err, fault.Of(err))
		}
	}
	unread := errors.New("no network")
	if _, err := originals.Choose(originals.Wish{}, func() (originals.Offered, error) { return both, unread }); !errors.Is(err, unread) {
		t.Errorf("a source that cannot be read: %v", err)
	}
	if got, err := originals.Choose(originals.Wish{Installed: ours},
		func() (originals.Offered, error) { return both, unread }); got != ours || err != nil {
		t.Errorf("the source is read where it decides nothing: %v", err)
	}
	if _, err := originals.ParseKind("theirs"); fault.Of(err) != fault.Usage {
		t.Error(err)
	}
}

func TestAnArchiveOfEitherAgentIsToldByItsVersions(t *testing.T) {
	w := newWorld(t)
	w.offer(amazon, nil, now, "3.3.1.0", "3.3.2.0")
	w.ours(other, "9.1.0.0")
	for base, want := range map[string]originals.Offered{amazon: {Original: true}, other: {Ours: true}} {
		if got, err := w.agent().Offers(t.Context(), w.source(base).Client()); err != nil || got != want {
			t.Errorf("%s: %+v, %v", base, got, err)
		}
	}
	w.offer(other, nil, now, "3.3.1.0")
	if got, err := w.agent().Offers(t.Context(), w.source(other).Client()); err != nil || !got.Ours || !got.Original {
		t.Errorf("both: %+v, %v", got, err)
	}
	o := originals.Options{Source: w.source(other), Trust: originals.Trust{AllowUnsigned: true}}
	r, err := w.agent().Install(t.Context(), o)
	if err != nil || r.Version != "3.3.1.0" || w.has() != "3.3.1.0" {
		t.Errorf("of both versions the original's newest is taken: %+v, %v", r, err)
	}
	if originals.KindOf(manifests.MustVersion("255.0.0.0")) != originals.Original ||
		originals.KindOf(manifests.MustVersion("9.0.0.0")) != originals.Ours {
		t.Error("versions from 9 on are ours")
	}
}
