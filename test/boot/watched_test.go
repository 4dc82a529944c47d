//go:build boot && linux

package boot_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// gate stands in front of the shell: a package's script writes down how it was called, and waits until it may go on. Whatever
// runs it (dpkg, rpm, dnf, or zypper, which runs the last one itself), the kernel calls /bin/sh with the script's file.
const gate = `#!/bin/bash
case "$1" in
*/amazon-ssm-agent.p*|*/tmp.ci/p*|/var/tmp/*|/var/adm/update-scripts/*)
	n=$(($(ls /root/stops | wc -l) + 1))
	echo "$*" >/root/stop && mv /root/stop /root/stops/$n
	while [ ! -e /root/go/$n ]; do sleep 0.05; done
	;;
esac
exec -a sh /usr/bin/dash "$@"
`

// watched runs a command that changes the package, and looks at the agent in front of each of its scripts: up to the last one it
// must be the very processes that ran before, and answer commands of the region.
func (h *host) watched(line string) {
	h.t.Helper()
	h.put("root/gate", gate)
	h.sh("mkdir -p /root/stops /root/go && rm -f /root/stops/* /root/go/* && chmod 755 /root/gate && cp --remove-destination /root/gate /usr/bin/sh")
	before := h.pids()
	ended := make(chan error, 1)
	go func() {
		out, err := h.try("/usr/bin/dash", "-c", line)
		if err != nil {
			err = fmt.Errorf("%s: %w\n%s", line, err, out)
		}
		ended <- err
	}()
	var scripts []string
	for n := 1; ; n++ {
		called, done := h.stop(n, ended)
		if done {
			break
		}
		scripts = append(scripts, called)
		if now := h.pids(); now != before {
			h.t.Errorf("before script %d (%s) the agent's processes are %s, not %s", n, called, now, before)
		}
		h.echo(fmt.Sprintf("script-%d", n))
		must(h.t, os.WriteFile(filepath.Join(h.root, "root/go", fmt.Sprint(n)), nil, 0o644))
	}
	h.sh("ln -sf dash /usr/bin/sh")
	if len(scripts) != h.sys.stops {
		h.t.Errorf("%d scripts ran:\n%s", len(scripts), strings.Join(scripts, "\n"))
	}
	h.active()
	h.eventually("another agent", func() bool { return h.pids() != before && strings.Count(h.pids(), " ") == 1 })
}

// stop waits for the n-th script, or the end of all.
func (h *host) stop(n int, ended <-chan error) (called string, done bool) {
	h.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		select {
		case err := <-ended:
			must(h.t, err)
			return "", true
		default:
		}
		if b, err := os.ReadFile(filepath.Join(h.root, "root/stops", fmt.Sprint(n))); err == nil {
			return strings.TrimSpace(string(b)), false
		}
	}
	h.t.Fatalf("script %d does not come", n)
	return "", false
}

// pids are the service's main process and the agent it runs.
func (h *host) pids() string {
	out, _ := h.try("/usr/bin/dash", "-c", "systemctl show -p MainPID --value amazon-ssm-agent; ps -e -o pid=,command= | awk '$2 == \"/usr/bin/ssm-agent-worker\" { print $1 }'")
	return strings.Join(strings.Fields(out), " ")
}
