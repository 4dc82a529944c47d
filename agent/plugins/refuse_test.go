//go:build unix

package plugins_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

func TestInventoryNeedsAnAssociation(t *testing.T) {
	b := newBench(t, map[string]any{"applications": "Enabled"})
	o := action(t, "aws:softwareInventory").Run(t.Context(), b.Call)
	if o.Status != wire.Failed || b.stderr.String() != "aws:softwareInventory plugin can only be invoked via ssm-associate" {
		t.Errorf("%+v %q", o, b.stderr.String())
	}
}

// The text stands alone, without the title of the error stream.
func TestCloudWatchIsNotRegistered(t *testing.T) {
	b := newBench(t, map[string]any{})
	o := action(t, "aws:cloudWatch").Run(t.Context(), b.Call)
	if o.Status != wire.Failed || o.Code != 1 || o.Output != "Plugin aws:cloudWatch is not registered by agent" || b.stderr.Len() != 0 {
		t.Errorf("%+v %q", o, b.stderr.String())
	}
}

func TestAPowerShellScriptBeginsWithAMark(t *testing.T) {
	b := newBench(t, lines("Write-Output a"))
	action(t, "aws:runPowerShellScript").Run(t.Context(), b.Call) // PowerShell itself need not be there
	text, err := os.ReadFile(filepath.Join(b.Directory, "_script.ps1"))
	if err != nil || !strings.HasPrefix(string(text), "\xEF\xBB\xBFWrite-Output a\n") {
		t.Errorf("%q, %v", text, err)
	}
}
