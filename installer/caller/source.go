package caller

import (
	"fmt"

	"github.com/ssm-setup/ssm-setup/regions"
)

// Source is where packages come from, and by what it was chosen: the flag, else [SourceVariable], else the settings. An empty origin is
// that of the zero source. Where a local region serves the packages of its own, settings do not count: they are about AWS's regions.
func (c Caller) Source(flag string, local bool) (regions.Source, Value, error) {
	chosen := first(Value{flag, "flag --source"}.orNone(), c.env(SourceVariable))
	if chosen.Text == "" && !local {
		var err error
		if chosen, err = c.from(func(s Settings) string { return s.Source }); err != nil {
			return regions.Source{}, Value{}, err
		}
	}
	source, err := regions.ParseSource(chosen.Text)
	if err == nil {
		source, err = source.Absolute()
	}
	if err != nil {
		return regions.Source{}, chosen, fmt.Errorf("%s: %w", chosen.Origin, err)
	}
	return source, chosen, nil
}
