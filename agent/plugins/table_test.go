package plugins_test

import (
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/agent/plugins"
)

// TestTable is the conformance of every row.
func TestTheTableKnowsEveryActionOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range plugins.Table(plugins.Ports{}) {
		if !strings.HasPrefix(a.Name, "aws:") || seen[a.Name] {
			t.Errorf("name %q", a.Name)
		}
		seen[a.Name] = true
		if a.Run != nil && len(a.Systems) == 0 {
			t.Errorf("%s runs nowhere", a.Name)
		}
		for _, s := range a.Systems {
			if s != "linux" && s != "darwin" && s != "windows" {
				t.Errorf("%s: system %q", a.Name, s)
			}
		}
	}
	if len(seen) != 16 {
		t.Errorf("%d names are known, the original knows 16", len(seen))
	}
}
