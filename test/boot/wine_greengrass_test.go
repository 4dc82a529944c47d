//go:build boot && linux

package boot_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

// TestTheWindowsGreengrassComponentRegistersAndStops goes through the life of the component for Windows: its own ssm-setup-cli.exe
// installs the installer that lies beside it, registers with the device's credentials, stops.
func TestTheWindowsGreengrassComponentRegistersAndStops(t *testing.T) {
	w, region := windows(t), local.Start(t)
	device := tokens(t, region)
	const unpacked = `C:\greengrass\v2\packages\artifacts-unarchived\aws.greengrass.SystemsManagerAgent\`
	deploy := func(version string) *component {
		c := newComponent(t, version, "windows", "amd64")
		c.unpack(w.path(unpacked+version+`\artifacts`), pointed(t, region))
		return c
	}
	step := func(c *component, name, want string) {
		t.Helper()
		script, env := c.filled(name, unpacked+c.version)
		ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
		defer cancel()
		cmd := w.command(ctx, "cmd", "/c", strings.ReplaceAll(script, "/", `\`))
		cmd.Env = append(append(cmd.Env, device...), env...)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Run(); err != nil && !errors.Is(err, exec.ErrWaitDelay) || !strings.Contains(out.String(), want) {
			t.Fatalf("%s: %v\n%s\nwant %s", name, err, &out, want)
		}
	}
	runs := func(processes int) {
		t.Helper()
		w.eventually("the service", func() bool { return len(w.processes(mainExe))+len(w.processes(agentExe)) == processes })
	}
	c := deploy("9.1.0.0")
	step(c, "Install", "INFO installed 9.1.0.0")
	var settings struct {
		Profile  struct{ ShareProfile string }
		Identity struct{ ConsumptionOrder []string }
	}
	text, err := os.ReadFile(w.path(programs + "amazon-ssm-agent.json"))
	must(t, err)
	if err := json.Unmarshal(text, &settings); err != nil || settings.Profile.ShareProfile != "ssm-iot-gg" ||
		len(settings.Identity.ConsumptionOrder) != 1 {
		t.Errorf("settings: %s, %v", text, err)
	}
	t.Cleanup(func() {
		for _, log := range []string{"amazon-ssm-agent.log", "launcher.log"} {
			if text, err := os.ReadFile(w.path(data + `Logs\` + log)); t.Failed() {
				t.Logf("%s: %v\n%s", log, err, text)
			}
		}
	})
	step(c, "Startup", "INFO Successfully registered the instance with AWS SSM using Managed instance-id: mi-")
	runs(2)
	w.eventually("a ping", func() bool {
		n := region.Instances()
		return len(n) == 1 && n[0].PingStatus == "Online" && n[0].Role == "EdgeRole"
	})
	step(c, "Install", "INFO Version is already installed, not attempting to install agent")
	step(c, "Startup", "INFO skipping registration because override flag is not set, just starting agent back")
	step(c, "Shutdown", "")
	runs(0)

	c = deploy("9.2.0.0")
	step(c, "Install", "INFO installed 9.2.0.0")
	if out := w.run(programs+agentExe, "-version"); strings.TrimSpace(out) != "SSM Agent version: 9.2.0.0" {
		t.Errorf("the program says %s", out)
	}
	step(c, "Startup", "just starting agent back")
	w.eventually("a ping of 9.2.0.0", func() bool { n := region.Instances(); return len(n) == 1 && n[0].AgentVersion == "9.2.0.0" })
}
