package host_test

import (
	"path/filepath"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

func TestANameNeverLeavesItsFolder(t *testing.T) {
	dir := filepath.Join("a", "b")
	for _, text := range []string{"", ".", "..", ".hidden", "../x", "a/b", `a\b`, "c:x", "a\x00b", "a\nb", string(make([]byte, 300))} {
		if n, err := host.CheckName(text); err == nil || !n.IsZero() {
			t.Errorf("%q is taken", text)
		}
		if n := host.CleanName(text); filepath.Dir(n.In(dir)) != dir {
			t.Errorf("%q leads to %s", text, n.In(dir))
		}
	}
	for text, want := range map[string]string{"aws:runShellScript": "awsrunShellScript", "..": "_", "../x": ".._x", "": "",
		"a step": "a step"} {
		if got := host.CleanName(text).String(); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
	const id = "2b196342-d7d4-436e-8f09-3883a1116ac3"
	if n, err := host.CheckName(id); err != nil || n.String() != id || n.In(dir) != filepath.Join(dir, id) || (host.Name{}).In(dir) == dir {
		t.Error(n, err)
	}
}
