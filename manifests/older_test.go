package manifests_test

import (
	"maps"
	"testing"

	"github.com/ssm-setup/ssm-setup/manifests"
)

// A newer version that has no package for this platform is told where the request means it: not where a version is named, nor where it is
// withdrawn.
func TestAVersionThatOnlyOtherPlatformsHaveIsTold(t *testing.T) {
	for want, newer := range map[string]string{"": "9.9.0.0", "latest": "9.9.0.0", ">=9.1": "9.9.0.0", "<9.9": "9.5.0.0", "<9.3": "",
		"9.2.0.0": "", "stable": "", "nonsense": ""} {
		q := host(func(q *manifests.Question) {
			q.Requested = want
			q.Anywhere = maps.Clone(q.Status)
			q.Anywhere[ver("9.5.0.0")], q.Anywhere[ver("9.9.0.0")] = manifests.Active, manifests.Active
			q.Anywhere[ver("10.0.0.0")] = manifests.Inactive
		})
		if got := manifests.Decide(q).Newer; got.String() != newer {
			t.Errorf("%q: %q, not %q", want, got, newer)
		}
	}
	if got := manifests.Decide(host(func(*manifests.Question) {})); !got.Newer.IsZero() || got.OlderText() != "" {
		t.Errorf("%+v", got)
	}
}
