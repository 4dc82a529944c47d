package machine

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer/originals"
)

func TestAHostWithAmazonsAgentIsOfferedOurs(t *testing.T) {
	both := func() (originals.Offered, error) { return originals.Offered{Ours: true, Original: true}, nil }
	for name, x := range map[string]struct {
		wish   originals.Wish
		offers func() (originals.Offered, error)
		offer  bool
	}{
		"Amazon's is installed": {originals.Wish{Installed: originals.Original}, both, true},
		"ours is installed":     {originals.Wish{Installed: originals.Ours}, both, false},
		"neither is":            {originals.Wish{}, both, false},
		"it is said":            {originals.Wish{Installed: originals.Original, Asked: originals.Original}, both, false},
		"a version is named":    {originals.Wish{Installed: originals.Original, Version: "3.3.1.0"}, both, false},
		"the source has Amazon's only": {originals.Wish{Installed: originals.Original},
			func() (originals.Offered, error) { return originals.Offered{Original: true}, nil }, false},
		"the source cannot be read": {originals.Wish{Installed: originals.Original},
			func() (originals.Offered, error) { return originals.Offered{}, errors.New("no network") }, false},
	} {
		var out, said bytes.Buffer
		kind, err := offerOurs(context.Background(), terminal.New(strings.NewReader("y\n"), &out, &said), x.wish, x.offers)
		if err != nil || kind != x.wish.Asked || strings.Contains(said.String(), "--agent ours puts it in the place of Amazon's") != x.offer {
			t.Errorf("%s: %q, %v; %s", name, kind, err, said.String())
		}
	}
}
