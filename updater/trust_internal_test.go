package updater

import (
	"errors"
	"fmt"
	"testing"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// What a region signed and is not to be believed is no outage: it has exit code 4, as a package that was exchanged.
func TestARegionThatIsNotBelievedIsToldFromOneOutOfReach(t *testing.T) {
	for kind, err := range map[fault.Kind]error{
		fault.Verify: fmt.Errorf("reading: %w", fault.New(fault.Verify, "not signed by the keys that count", "")),
		fault.Region: fmt.Errorf("reading: %w", fault.New(fault.Region, "region cannot be reached", "")),
	} {
		var f *failure
		if !errors.As(noManifest("https://x/ssm-agent-manifest.json", err), &f) || f.fault != kind || f.code != "ErrorDownloadManifest_d3" {
			t.Errorf("%s: %+v", kind, f)
		}
	}
}
