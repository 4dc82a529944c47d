package installer_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
)

// Whatever the pulse file holds: a pulse that is read can be written, and reads the same again.
func FuzzPulse(f *testing.F) {
	path := filepath.Join(f.TempDir(), "pulse")
	if err := installer.WritePulse(path, installer.Pulse{PID: 4711, Version: "9.2.0.0", Sequence: 5, Beats: 12, LastFault: "no route",
		At: time.Unix(1700000060, 0).UTC(), InstanceID: "mi-0123456789abcdef0"}); err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(whole))
	f.Add("{")
	f.Add(`{"beats":-1}`)
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "pulse")
		for len(text) < installer.PulseSize {
			text += " "
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := installer.ReadPulse(path)
		if err != nil {
			return
		}
		if err := installer.WritePulse(path, p); err != nil {
			return // a time that JSON does not know, or too long
		}
		if again, err := installer.ReadPulse(path); err != nil || again.PID != p.PID || again.Beats != p.Beats || again.Version != p.Version {
			t.Errorf("%+v became %+v, %v", p, again, err)
		}
	})
}
