package rules_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/rules"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/updater/policy"
)

func TestAnInstallationOverAnotherVersionObeysThePolicy(t *testing.T) {
	for name, c := range map[string]struct{ file, says string }{
		"no policy":       {"", ""},
		"held":            {`{"hold":{"reason":"audit"}}`, "audit"},
		"held at it":      {`{"hold":{"version":"9.3.0.0"}}`, ""},
		"held at another": {`{"hold":{"version":"9.2.0.0"}}`, "held at 9.2.0.0"},
		"a constraint":    {`{"versions":"<9.3"}`, "outside of the versions"},
		"no window":       {`{"windows":[{"start":"0 0 29 2 *","duration":"1m","zone":"UTC"}]}`, "maintenance windows"},
		"a cooldown":      {`{"cooldown":"300d"}`, ""},
		"damaged":         {`{"hold":`, "cannot be obeyed"},
	} {
		t.Run(name, func(t *testing.T) {
			l := installer.At(t.TempDir())
			if err := os.MkdirAll(filepath.Dir(policy.File(l)), 0o755); err != nil {
				t.Fatal(err)
			}
			if c.file != "" {
				if err := os.WriteFile(policy.File(l), []byte(c.file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			err := rules.Permit(l)(manifests.MustVersion("9.3.0.0"))
			if (err == nil) != (c.says == "") {
				t.Fatalf("%v", err)
			}
			if err != nil && (!strings.Contains(err.Error(), c.says) || fault.Of(err) != fault.Refused || fault.HintOf(err) == "") {
				t.Errorf("%v, hint %q", err, fault.HintOf(err))
			}
		})
	}
}
