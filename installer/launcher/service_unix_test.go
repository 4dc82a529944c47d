//go:build unix

package launcher_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/launcher"
)

func TestADetachedLauncherInheritsNoCredentials(t *testing.T) {
	m := newMachineAlone(t)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere/administrator")
	t.Setenv("SSM_ACTIVATION_CODE", "secret")
	pid, err := launcher.Detach(m.Paths)
	m.ok(err)
	m.await("start floor 1", 1)
	s := m.read("/proc/" + strconv.Itoa(pid) + "/environ")
	if strings.Contains(s, "/nowhere") || strings.Contains(s, "SSM_ACTIVATION") ||
		!strings.Contains(s, "AWS_SHARED_CREDENTIALS_FILE="+m.Credentials()) {
		t.Errorf("environment: %q", s)
	}
}

func TestOrphansAreReaped(t *testing.T) {
	m := newMachine(t)
	// As a child subreaper would: a shell starts an orphan and becomes the launcher, which inherits it as a child.
	cmd := exec.Command("/bin/sh", "-c", `sleep 0.05 & echo $! > "$1/orphan"; exec "$2"`, "sh", m.Root, m.Launcher())
	cmd.Env = os.Environ()
	m.ok(cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	m.await("start floor 1", 1)
	pid := strings.TrimSpace(m.read(filepath.Join(m.Root, "orphan")))
	m.until("no zombie left", func() bool { _, err := os.Stat("/proc/" + pid); return err != nil })
}
