//go:build boot && linux

package boot_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestUpdateArchive runs the scripts of the archives that original updaters unpack, on real systems: install on nothing,
// install again, remove.
func TestUpdateArchive(t *testing.T) {
	for format, file := range map[string]string{"update-ubuntu": "amazon-ssm-agent-ubuntu-" + runtime.GOARCH + ".tar.gz",
		"update": "amazon-ssm-agent-linux-" + runtime.GOARCH + ".tar.gz"} {
		s := systems[0]
		if format == "update" {
			s = systems[1]
		}
		t.Run(s.name, func(t *testing.T) {
			out := t.TempDir()
			if said, err := outside(filepath.Join(dist, "ssm-setup"), "build", "--version", "9.1.0.0", "--platform", "linux/"+runtime.GOARCH,
				"--only", format, "--out", out); err != nil {
				t.Fatalf("%v\n%s", err, said)
			}
			h := &host{machine: boot(t, s.base(t)), sys: s}
			must(t, os.MkdirAll(filepath.Join(h.root, "root/update"), 0o755))
			h.copy(filepath.Join(out, "9.1.0.0", file), "/root/update.tar.gz")
			h.sh("tar -xzf /root/update.tar.gz -C /root/update")
			if said := h.sh("cd / && /root/update/install.sh"); !strings.Contains(said, "Installed version: '9.1.0.0") {
				t.Errorf("install.sh says %s", said)
			}
			h.active()
			if h.enabled() != "enabled" {
				t.Errorf("the service is %s", h.enabled())
			}
			h.sh("/root/update/install.sh") // the same version again is no failure
			h.active()
			h.sh("/root/update/uninstall.sh")
			h.sh("test ! -e /usr/bin/amazon-ssm-agent")
			h.sh("/root/update/uninstall.sh")
		})
	}
}
