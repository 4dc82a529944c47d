package playground

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer/build"
	"github.com/ssm-setup/ssm-setup/regions/local"
)

// demoWatch is how long the demo's host watches a new version before it is confirmed, in seconds; hosts take 30.
const demoWatch = 4

// Demo is the command demo.
func Demo() *cli.Command {
	return &cli.Command{
		Name:  "demo",
		Usage: "watch a machine be installed, commanded, updated, refused a downgrade and saved from a broken release",
		Description: "Runs on a local region inside this process, in a throwaway folder, with the real binaries built from the source\n" +
			"tree it stands in. Needs no account and no privileges. With DEMO_ECHO set, the host's command is `echo` followed by\n" +
			"that text.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "source", Value: ".", Usage: "folder in the source tree"},
			&cli.BoolFlag{Name: "result", Usage: "print the result as one JSON object in the last line, taken from the region's own records"},
		},
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
	ctx     context.Context
	printer *terminal.Printer
	began   time.Time
	source  string
	dir     string
	root    string
	region  *local.Region
	node    string
	result  demoResult
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
	{"the host is asked to go to the older 9.1.0.0", (*show).downgrade},
	{"9.3.0.0 is published; it passes every check and crashes as a service", (*show).broken},
}

func demo(c *cli.Context) error {
	s := &show{ctx: c.Context, printer: terminal.Of(c), began: time.Now()}
	var err error
	if s.source, err = build.Source(c.String("source")); err != nil {
		return terminal.Cannot("play", "the demo", err).WithHint("run it in a clone of the source, where it builds the releases it shows")
	}
	if s.dir, err = os.MkdirTemp("", "ssm-setup-demo-"); err != nil {
		return terminal.Cannot("play", "the demo", err)
	}
	defer func() { _ = s.clear() }()
	s.root = filepath.Join(s.dir, "host")
	for i, scene := range scenes {
		s.say("")
		s.say("%d. %s", i+1, scene.title)
		if err := scene.play(s); err != nil {
			return terminal.Cannot("play", fmt.Sprintf("scene %d of the demo", i+1), err)
		}
	}
	s.say("")
	if err := s.clear(); err != nil {
		return terminal.Cannot("clean up", "after the demo", err)
	}
	s.say("everything is cleaned up: the host's processes, the region, the throwaway folder")
	s.result.Seconds = seconds(time.Since(s.began))
	if s.printer.JSON || c.Bool("result") {
		return json.NewEncoder(s.printer.Out).Encode(s.result)
	}
	return nil
}

// say prints a line of the story with the time since its start. With --json it is progress: the result is the one object.
func (s *show) say(format string, args ...any) {
	if s.printer.JSON {
		if format != "" {
			s.printer.Step(format, args...)
		}
		return
	}
	if format == "" {
		fmt.Fprintln(s.printer.Out)
		return
	}
	fmt.Fprintf(s.printer.Out, "%6.1fs  %s\n", time.Since(s.began).Seconds(), fmt.Sprintf(format, args...))
}

func seconds(d time.Duration) float64 { return float64(d.Milliseconds()/100) / 10 }

// clear leaves nothing behind; it may be called twice.
func (s *show) clear() error {
	if s.dir == "" {
		return nil
	}
	var errs []error
	if _, err := os.Stat(s.root); err == nil {
		_, err := s.tool(nil, "uninstall", "--root", s.root)
		errs = append(errs, err)
	}
	if s.region != nil {
		errs = append(errs, s.region.Close())
	}
	errs = append(errs, os.RemoveAll(s.dir))
	s.dir = ""
	return errors.Join(errs...)
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
