package regions

import (
	"fmt"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Remembered is the source that a host's settings name. manifest is Agent.UpdateSource, the address of a manifest, which programs of any
// age understand; source is Agent.PackageSource, any form, written together with it; each may be empty. Where the two disagree one of
// them was changed by hand or by an older program, and manifest counts; note says so. The zero source without an error: the settings
// name none.
func Remembered(source, manifest, region, endpoint string) (s Source, note string, err error) {
	if source == "" {
		s, err = ParseSource(manifest)
		return s, "", err
	}
	s, err = ParseSource(source)
	if err == nil && manifest == "" {
		return s, "", nil
	}
	if err == nil && Check(region) == nil {
		var now string
		if now, err = s.ManifestURL(region, endpoint); err == nil && now == fill(manifest, region, Domain(region)) {
			return s, "", nil
		}
	}
	if s, err = ParseSource(manifest); err != nil {
		return s, "", err
	}
	return s, fmt.Sprintf("Agent.PackageSource names %s, Agent.UpdateSource another place, which counts; ssm-setup install --source sets both",
		fault.Redact(source)), nil
}

// Settings are the settings by which updates find the source, by section and key, manifest being the address of the region's manifest in
// it. Programs of any age understand the first; the second keeps what was said, where that is more, and is nil, to be removed, where not.
func (s Source) Settings(manifest string) map[string]any {
	set := map[string]any{"Agent.UpdateSource": manifest, "Agent.PackageSource": nil}
	if text := s.String(); text != "" && text != manifest {
		set["Agent.PackageSource"] = text
	}
	return set
}
