package originals_test

import (
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/originals"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// Where the newest version of Amazon's agent has no package for this system, an older one is taken, and said to be older: by an
// installation, an update, and a look before either.
func TestAnOlderPackageOfAmazonsAgentThatIsChosenIsSaid(t *testing.T) {
	const words = "warning: the newest version is 3.9.0.0, which has no package for this system: "
	w := newWorld(t)
	w.offer(amazon, nil, now, "3.3.1.0")
	elsewhere := func() {
		m, err := manifests.ParseManifest(w.buckets[amazon+"/ssm-agent-manifest.json"])
		must(t, err)
		m.Add("amazon-ssm-agent", "amazon-ssm-agent-plan9-mips.tar.gz", manifests.FileVersion{Version: "3.9.0.0",
			Checksum: strings.Repeat("0", 64)})
		w.buckets[amazon+"/ssm-agent-manifest.json"] = m.Bytes()
	}
	elsewhere()
	o := originals.Options{Source: w.source(amazon), Activation: activation}
	said := func(what, newest, newer string, err error) {
		t.Helper()
		if err != nil || !w.told(words+newest+" is the newest that has one") || newer != "3.9.0.0" {
			t.Errorf("%s: %v; newer elsewhere: %q; %q", what, err, newer, w.steps)
		}
		w.steps = nil
	}
	would, err := w.agent().Would(t.Context(), o)
	said("a look before the installation", "3.3.1.0", would.Newer.String(), err)
	installed, err := w.agent().Install(t.Context(), o)
	said("the installation", "3.3.1.0", installed.Newer, err)
	w.offer(amazon, nil, now, "3.3.2.0")
	elsewhere()
	checked, err := w.agent().Check(t.Context(), o)
	said("a look before the update", "3.3.2.0", checked.Newer.String(), err)
	updated, err := w.agent().Update(t.Context(), o)
	said("the update", "3.3.2.0", updated.Newer.String(), err)
	if _, err = w.agent().Update(t.Context(), originals.Options{Source: w.source(amazon), Version: "3.3.2.0"}); err != nil || w.told(words) {
		t.Errorf("a version that is named was not chosen: %v, %q", err, w.steps)
	}
}
