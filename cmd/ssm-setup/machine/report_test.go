package machine

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// A version that was only killed from outside, or that a fault of the machine's disk kept from being tried, is rolled back and not blocked.
func TestOnlyAVersionThatIsBlockedIsCalledSo(t *testing.T) {
	l := installer.At(t.TempDir())
	if err := os.MkdirAll(l.Data(), 0o755); err != nil {
		t.Fatal(err)
	}
	v := manifests.MustVersion("9.2.0.0")
	led, err := ledger.Open(l)
	if err != nil {
		t.Fatal(err)
	}
	led.NoteTried(v)
	if err := led.Save(true); err != nil {
		t.Fatal(err)
	}
	if hint := blockedHint(l, v); !strings.Contains(hint, "is not blocked") {
		t.Error(hint)
	}
	led.Block(v, "it ended", false, time.Now())
	if err := led.Save(true); err != nil {
		t.Fatal(err)
	}
	if hint := blockedHint(l, v); !strings.Contains(hint, "is blocked on this machine") {
		t.Error(hint)
	}
}
