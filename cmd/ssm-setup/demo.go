package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/regions/local"
)

// demoWatch is how long the demo's host watches a new version before it is confirmed, in seconds; hosts take 30.
const demoWatch = 4

func demoVerb() *cli.Command {
	return &cli.Command{
		Name:  "demo",
		Usage: "watch a machine be installed, commanded, updated, refused a downgrade and saved from a broken release",
		Description: "Runs on a local region inside this process, in a throwaway folder, with the real binaries built from the source\n" +
			"tree it stands in. Needs no account and no privileges. With DEMO_ECHO set, the host's command is `echo` followed by\n" +
			"that text. The last line is one JSON object, taken from the region's own records.",
		Flags:  []cli.Flag{&cli.StringFlag{Name: "source", Value: ".", Usage: "folder in the source tree"}},
		Action: demo,
	}
}

// demoResult is the last line.
type demoResult struct {
	Installed  string  `json:"installed"`   // version the region knew after the installation
	Output     string  `json:"output"`      // what the host's command printed
	Updated    string  `json:"updated"`     // version the region knew after the update
	Refused    string  `json:"refused"`     // why the downgrade was refused
	RolledBack string  `json:"rolled_back"` // why the broken release was taken back
	Final      string  `json:"final"`       // version the region knows at the end
	Seconds    float64 `json:"seconds"`
}

// show is one run of the demo.
type show struct {
	ctx    context.Context
	v      *voice
	began  time.Time
	source string
	dir    string
	root   string
	region *local.Region
	node   string
	long   string // the command that runs across the update
	result demoResult
}

// scenes are the demo, in order.
var scenes = []struct {
	title string
	play  func(*show) error
}{
	{"three releases are built: 9.1.0.0, 9.2.0.0, and 9.3.0.0, which is broken on purpose", (*show).build},
	{"a region starts on this machine and 9.1.0.0 is published to it", (*show).open},
	{"a host is installed from the region and registered, without privileges", (*show).install},
	{"the region sends the host a command", (*show).command},
	{"9.2.0.0 is published; the host is told to update while a long command runs", (*show).update},
	{"someone asks for the older 9.1.0.0", (*show).downgrade},
	{"9.3.0.0 is published; it passes every check and crashes as a service", (*show).broken},
}

func demo(c *cli.Context) error {
	s := &show{ctx: c.Context, v: speak(c), began: time.Now()}
	var err error
	if s.source, err = pack.Source(c.String("source")); err != nil {
		return cannot("play", "the demo", err).withHint("run it in a clone of the source, where it builds the releases it shows")
	}
	if s.dir, err = os.MkdirTemp("", "ssm-setup-demo-"); err != nil {
		return cannot("play", "the demo", err)
	}
	defer s.clear()
	s.root = filepath.Join(s.dir, "host")
	for i, scene := range scenes {
		s.say("")
		s.say("%d. %s", i+1, scene.title)
		if err := scene.play(s); err != nil {
			return cannot("play", fmt.Sprintf("scene %d of the demo", i+1), err)
		}
	}
	s.say("")
	s.say("everything is cleaned up: the host's processes, the region, the throwaway folder")
	s.clear()
	s.result.Seconds = seconds(time.Since(s.began))
	return json.NewEncoder(s.v.out).Encode(s.result)
}

// say prints a line of the story with the time since its start.
func (s *show) say(format string, args ...any) {
	if format == "" {
		fmt.Fprintln(s.v.out)
		return
	}
	fmt.Fprintf(s.v.out, "%6.1fs  %s\n", time.Since(s.began).Seconds(), fmt.Sprintf(format, args...))
}

func seconds(d time.Duration) float64 { return float64(d.Milliseconds()/100) / 10 }

// clear leaves nothing behind; it may be called twice.
func (s *show) clear() {
	if s.dir == "" {
		return
	}
	if _, err := os.Stat(s.root); err == nil {
		_, _ = s.tool(nil, "uninstall", "--root", s.root)
	}
	if s.region != nil {
		_ = s.region.Close()
	}
	_ = os.RemoveAll(s.dir)
	s.dir = ""
}

// tool runs this very program as a person would, showing the command line and what it says.
func (s *show) tool(env []string, args ...string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	s.say("$ ssm-setup %s", strings.ReplaceAll(strings.Join(args, " "), s.dir, "$DEMO"))
	cmd := exec.CommandContext(context.WithoutCancel(s.ctx), self, args...)
	cmd.Env = append(os.Environ(), env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		if line != "" && !strings.HasPrefix(line, "{") {
			s.say("    %s", strings.ReplaceAll(line, s.dir, "$DEMO"))
		}
	}
	if err != nil {
		return out.String(), fmt.Errorf("ssm-setup %s: %w\n%s", args[0], err, strings.TrimSpace(errs.String()))
	}
	return out.String(), nil
}

func (s *show) build() error {
	platform := runtime.GOOS + "/" + runtime.GOARCH
	for _, version := range []string{"9.1.0.0", "9.2.0.0"} {
		if _, err := s.tool(nil, "--json", "build", "--version", version, "--only", "tar", "--platform", platform, "--source", s.source,
			"--out", filepath.Join(s.dir, "dist")); err != nil {
			return err
		}
	}
	bin := filepath.Join(s.dir, "broken")
	const stampFlag = "-s -w -X github.com/ssm-setup/ssm-setup/installer/stamp.mark=ssm-setup-version=9.3.0.0"
	for program, from := range map[string]string{"amazon-ssm-agent": "./cmd/amazon-ssm-agent", "ssm-agent-worker": "./test/broken"} {
		cmd := exec.CommandContext(s.ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", stampFlag, "-o", filepath.Join(bin, program), from)
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
	_, err := s.tool([]string{"AWS_SHARED_CREDENTIALS_FILE=" + s.region.CredentialsFile(), "AWS_PROFILE=default", "AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=",
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
