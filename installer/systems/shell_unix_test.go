//go:build unix

package systems_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/systems"
)

// A package's script refuses what the tool refuses, and nothing else.
func TestAPackagesScriptRefusesWhatTheToolRefuses(t *testing.T) {
	for _, c := range cases {
		dir := t.TempDir()
		release := "ID=" + c.id + "\n"
		if c.version != "" {
			release += "VERSION_ID=\"" + c.version + "\"\n"
		}
		for name, text := range map[string]string{"os-release": release, "uname": "#!/bin/sh\necho " + c.kernel + "\n"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		script := "set -e\n" + strings.ReplaceAll(systems.Shell(), "/etc/os-release", filepath.Join(dir, "os-release")) + "refuse_system\n"
		cmd := exec.Command("/bin/sh", "-c", script)
		cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		if (err == nil) != c.fine || (len(out) == 0) != c.fine {
			t.Errorf("%+v: %v, %s", c, err, out)
		}
		if c.kernel < "3" && !strings.HasPrefix(string(out), "FATAL: Minimum required kernel version is 3.2\nThe running kernel version is "+c.kernel) {
			t.Errorf("%+v: %s", c, out)
		}
	}
}
