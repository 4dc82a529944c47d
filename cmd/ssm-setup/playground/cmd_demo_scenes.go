package playground

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/regions/local"
)

// stampVariable is what the linker sets to a program's version.
const stampVariable = "github.com/ssm-setup/ssm-setup/installer/stamp.mark"

func (s *show) build() error {
	platform := runtime.GOOS + "/" + runtime.GOARCH
	for _, version := range []string{"9.1.0.0", "9.2.0.0"} {
		if _, err := s.tool(nil, "--json", "build", "--version", version, "--only", "tar", "--platform", platform, "--source", s.source,
			"--out", filepath.Join(s.dir, "dist")); err != nil {
			return err
		}
	}
	bin := filepath.Join(s.dir, "broken")
	const stampFlag = "-s -w -X " + stampVariable + "=ssm-setup-version=9.3.0.0"
	for program, from := range map[string]string{"amazon-ssm-agent": "./cmd/amazon-ssm-agent", "ssm-agent-worker": "./test/broken"} {
		cmd := exec.CommandContext(s.ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", stampFlag, "-o",
			filepath.Join(bin, program), from)
		cmd.Dir, cmd.Env = s.source, append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("go build %s: %w\n%s", from, err, out)
		}
	}
	_, err := s.tool(nil, "--json", "build", "--version", "9.3.0.0", "--only", "tar", "--platform", platform, "--bin", bin,
		"--out", filepath.Join(s.dir, "dist"))
	return err
}

func (s *show) open() (err error) {
	if s.region, err = local.Open(local.Options{Data: filepath.Join(s.dir, "region")}); err != nil {
		return err
	}
	s.say("region local listens on %s", s.region.URL())
	return s.publish("9.1.0.0")
}

func (s *show) publish(version string) error {
	_, err := s.tool([]string{"AWS_SHARED_CREDENTIALS_FILE=" + s.region.CredentialsFile(), "AWS_PROFILE=default", "AWS_ACCESS_KEY_ID=",
		"AWS_SECRET_ACCESS_KEY=",
		"AWS_EC2_METADATA_DISABLED=true"},
		"publish", "--from", filepath.Join(s.dir, "dist", version), "--region", s.region.Name(), "--endpoint", s.region.URL())
	return err
}

func (s *show) install() error {
	id, code, err := s.region.CreateActivation(1)
	if err != nil {
		return err
	}
	s.say("activation %s is created; its code travels in the environment, not in the process list", id)
	config := installer.At(s.root).ConfigFile()
	if err := os.MkdirAll(filepath.Dir(config), 0o755); err != nil {
		return err
	}
	s.say("(the demo's host watches a new version for %d s instead of 30: Agent.UpdateWatchSeconds)", demoWatch)
	if err := os.WriteFile(config, fmt.Appendf(nil, `{"Agent": {"UpdateWatchSeconds": %d}}`, demoWatch), 0o600); err != nil {
		return err
	}
	if _, err := s.tool([]string{"SSM_ACTIVATION_ID=" + id, "SSM_ACTIVATION_CODE=" + code}, "install", "--root", s.root,
		"--region", s.region.Name(), "--endpoint", s.region.URL()); err != nil {
		return err
	}
	nodes := s.region.Instances()
	if len(nodes) != 1 {
		return fmt.Errorf("the region knows %d hosts, 1 expected", len(nodes))
	}
	s.node, s.result.Installed = nodes[0].InstanceID, nodes[0].AgentVersion
	s.say("the region sees host %s with agent %s", s.node, s.result.Installed)
	return nil
}

func (s *show) command() error {
	line := `echo "hello from $(uname -sm), as $(id -un)"`
	if text, ok := os.LookupEnv("DEMO_ECHO"); ok {
		line = "echo " + text
	}
	s.say("AWS-RunShellScript: %s", line)
	began := time.Now()
	id, err := s.send("AWS-RunShellScript", map[string][]string{"commands": {line}})
	if err != nil {
		return err
	}
	inv, err := s.wait(id)
	if err != nil {
		return err
	}
	s.result.Output = strings.TrimRight(inv.StandardOutput, "\n")
	s.say("%s after %d ms: %s", inv.Status, time.Since(began).Milliseconds(), s.result.Output)
	if inv.Status != "Success" {
		return errors.New("the command failed: " + inv.StandardError)
	}
	return nil
}

func (s *show) update() error {
	if err := s.publish("9.2.0.0"); err != nil {
		return err
	}
	long := fmt.Sprintf("sleep %d; echo still here", demoWatch+2)
	id, err := s.send("AWS-RunShellScript", map[string][]string{"commands": {long}})
	if err != nil {
		return err
	}
	s.say("long command under way: %s", long)
	inv, err := s.order("")
	if err != nil {
		return err
	}
	if inv.Status != "Success" {
		return errors.New("the update failed: " + inv.StandardOutput)
	}
	s.result.Updated = s.region.Instances()[0].AgentVersion
	s.say("the region sees agent %s", s.result.Updated)
	if inv, err = s.wait(id); err != nil {
		return err
	}
	s.say("long command: %s: %s", inv.Status, strings.TrimSpace(inv.StandardOutput))
	if inv.Status != "Success" || !strings.Contains(inv.StandardOutput, "still here") {
		return errors.New("the long command was lost")
	}
	return nil
}

func (s *show) downgrade() error {
	inv, err := s.order("9.1.0.0")
	if err != nil {
		return err
	}
	if inv.Status != "Failed" {
		return errors.New("the downgrade was not refused")
	}
	if v := s.region.Instances()[0].AgentVersion; v != s.result.Updated {
		return fmt.Errorf("after the refusal the region sees agent %s", v)
	}
	s.result.Refused = pick(inv.StandardOutput, "to an older version")
	return nil
}

func (s *show) broken() error {
	if err := s.publish("9.3.0.0"); err != nil {
		return err
	}
	inv, err := s.order("")
	if err != nil {
		return err
	}
	if inv.Status != "Failed" {
		return errors.New("the broken release was not taken back")
	}
	s.result.RolledBack = pick(inv.StandardOutput, "rolledback") + ": " + pick(inv.StandardOutput, "failed to update")
	if _, err := s.tool(nil, "status", "--root", s.root); err != nil {
		return err
	}
	s.result.Final = s.region.Instances()[0].AgentVersion
	s.say("the region sees agent %s, as before", s.result.Final)
	return nil
}

// order sends AWS-UpdateSSMAgent and waits for its end.
func (s *show) order(version string) (local.Invocation, error) {
	s.say("AWS-UpdateSSMAgent version=%q", version)
	began := time.Now()
	id, err := s.send("AWS-UpdateSSMAgent", map[string][]string{"version": {version}})
	if err != nil {
		return local.Invocation{}, err
	}
	inv, err := s.wait(id)
	if err != nil {
		return inv, err
	}
	s.say("%s after %.1f s:", inv.Status, time.Since(began).Seconds())
	for _, line := range strings.Split(strings.TrimSpace(inv.StandardOutput), "\n") {
		if line != "" {
			s.say("    %s", line)
		}
	}
	return inv, nil
}

func (s *show) send(document string, parameters map[string][]string) (string, error) {
	return s.region.SendCommand(document, s.node, parameters)
}

func (s *show) wait(command string) (local.Invocation, error) {
	ctx, cancel := context.WithTimeout(s.ctx, 2*time.Minute)
	defer cancel()
	return s.region.WaitCommand(ctx, command, s.node)
}

// pick is the first line of a text that holds a word, empty if none does.
func pick(text, word string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, word) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}
