package setup

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/proxy"
)

// An installation that does not come to be leaves the host with the proxy it had, or with none.
func TestAnInstallationThatFailsTakesTheProxyBackThatItWrote(t *testing.T) {
	parsed := func(text string) proxy.Address {
		a, err := proxy.Parse(text)
		must(t, err)
		return a
	}
	first, second := parsed("http://me:secret@first:3128"), parsed("http://second:3128")
	for what, had := range map[string]bool{"one": true, "none": false} {
		t.Run("it had "+what, func(t *testing.T) {
			dir := t.TempDir()
			must(t, os.Chmod(filepath.Dir(dir), 0o755))
			must(t, os.Chmod(dir, 0o755))
			l := installer.At(dir)
			if had {
				must(t, proxy.Keep(l, first, false))
			}
			i := here(l)
			i.Ports.Step = func(string, ...any) {}
			before, err := readBefore(l)
			must(t, err)
			runs := 1
			if !had {
				runs = 2 // the first is killed, and the second goes on with it
			}
			var r *run
			for range runs {
				r = &run{Installation: i, Options: Options{Proxy: &second}, ctx: t.Context(), before: before}
				must(t, r.keepProxy())
				if a, _ := proxy.Of(l); a.Redacted() != second.Redacted() {
					t.Errorf("%s is kept", a.Redacted())
				}
			}
			r.restoreProxy()
			a, known := proxy.Of(l)
			if known != had || had && a.String() != first.String() {
				t.Errorf("known: %t", known)
			}
		})
	}
}
