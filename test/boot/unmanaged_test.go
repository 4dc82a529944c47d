//go:build boot && linux

package boot_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

// inContainer runs a shell line in the root of a machine that does not run, with processes of its own and no service manager. What it
// leaves running ends with it.
func (m *machine) inContainer(line string) string {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 4*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "unshare", "--mount", "--pid", "--fork", "--kill-child", "chroot", m.root, "/bin/sh", "-ec",
		"mount -t proc proc /proc\n"+line)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		m.t.Fatalf("in a container, %s: %v\n%s", line, err, out)
	}
	return string(out)
}

// In a container or while an image is built no service manager runs. The agent of the package is at work all the same: it registers once,
// comes back when its launcher dies, is updated, and goes when it is removed; an image that is booted later has it under systemd.
func TestWhereNoServiceManagerRunsTheInstalledPackageIsAtWork(t *testing.T) {
	for _, s := range systems[:2] {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			h := &host{machine: rooted(t, s.base(t)), sys: s}
			h.region = local.Start(t)
			h.publish("9.1.0.0")
			h.copyIn(filepath.Join(dist, "ssm-setup"), "usr/bin/ssm-setup")
			id, code, err := h.region.CreateActivation(1)
			must(t, err)
			h.publish("9.2.0.0")
			install := fmt.Sprintf("printf %%s %s | ssm-setup install --region local --endpoint %s --version 9.1.0.0 --activation-id %s --activation-code-file -",
				code, h.region.URL(), id)
			const pid = "/var/lib/amazon/ssm/amazon-ssm-agent.pid"
			said := h.inContainer(install + ` 2>&1
status() { ssm-setup --json status; }
status | grep -q '"service":"none"'
first=$(tr -d ' ' <` + pid + `); kill -9 $first
n=0; until status | grep -q '"healthy":true' && [ "$(tr -d ' ' <` + pid + `)" != "$first" ]; do n=$((n+1)); [ $n -lt 600 ]; sleep 0.1; done
ssm-setup update --version 9.2.0.0 2>&1
status | grep -q '"running":"9.2.0.0"'
ssm-setup rollback 2>&1
` + s.remove + ` # by hand
[ ! -e ` + pid + ` ]
n=0; while pgrep -x ssm-agent-worke; do n=$((n+1)); [ $n -lt 100 ]; sleep 0.1; done
! pgrep -x amazon-ssm-agen
ssm-setup install --region local --endpoint ` + h.region.URL() + ` --version 9.1.0.0 2>&1
ssm-setup uninstall 2>&1
[ ! -e ` + pid + ` ] && ! pgrep -x amazon-ssm-agen
ssm-setup install --region local --endpoint ` + h.region.URL() + ` --version 9.1.0.0 2>&1
test -s ` + pid + "\n")
			if strings.Count(said, "healthy") < 2 || !strings.Contains(said, "no service manager runs here") ||
				strings.Count(said, "registered in region local") != 1 {
				t.Errorf("%s", said)
			}
			h.start()
			h.active()
			h.agentSays("9.1.0.0")
			if out, err := h.try("test", "-e", pid); err == nil {
				t.Errorf("the pid file of the image is left: %s", out)
			}
			if nodes := h.region.Instances(); len(nodes) != 1 {
				t.Errorf("%d nodes for one machine", len(nodes))
			}
		})
	}
}

// copyIn puts a program into the root of a machine that does not run.
func (m *machine) copyIn(from, to string) {
	m.t.Helper()
	data, err := os.ReadFile(from)
	must(m.t, err)
	must(m.t, os.WriteFile(filepath.Join(m.root, to), data, 0o755))
}
