package launcher_test

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/launcher"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// The test binary, linked into a throwaway root, is launcher, agent and updater: which of them follows from the file it runs as.
func TestMain(m *testing.M) {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	paths, err := pointer.Of(exe)
	switch {
	case os.Getenv("TEST_IMPOSTOR") != "":
		actImpostor(exe, os.Getenv("TEST_IMPOSTOR"))
	case err != nil:
		os.Exit(m.Run())
	case os.Getenv("TEST_ORIGINAL") != "":
		if os.Getenv("TEST_ORIGINAL") == "deaf" {
			signal.Ignore(syscall.SIGTERM)
		}
		_, _ = os.Stdin.Read(make([]byte, 1))
	case base(exe) == "amazon-ssm-agent", base(exe) == "ssm-cli":
		os.Exit(actLauncher(paths))
	case filepath.Base(os.Args[0]) == "updater":
		tell(paths, "updater", versionOf(paths, exe), strings.Join(os.Args[1:], " "))
	case os.Args[0] != paths.Worker():
		fmt.Println(versionOf(paths, exe), os.Args)
	default:
		actAgent(paths, versionOf(paths, exe))
	}
}

// base is a program's name on every system.
func base(path string) string { return strings.TrimSuffix(filepath.Base(path), ".exe") }

func actLauncher(p pointer.Paths) int {
	if len(os.Args) > 1 || base(os.Args[0]) != "amazon-ssm-agent" {
		return launcher.Main(os.Args)
	}
	s := launcher.Service{Paths: p, Stamp: floorVersion, Timing: quick(), Log: os.Stderr}
	if err := s.Run(); err != nil {
		return 1
	}
	return 0
}

const floorVersion = "9.1.0.0"

// quick are the design's numbers, a hundred times faster. What kills is nearly as slow as the design has it: on a machine with
// other work a process may stand still for seconds.
func quick() launcher.Timing {
	t := launcher.Design()
	t.Tick = 50 * time.Millisecond
	t.FirstBeat, t.NextBeat = 600, 600
	t.Orphan = 3 * time.Second
	t.Stop = 3 * time.Second
	t.Delay = 10 * time.Millisecond
	t.DelayMax = 100 * time.Millisecond
	t.Resume = 100 * time.Millisecond
	t.Look = 5 * time.Millisecond
	if os.Getenv("TEST_SHORT_SILENCE") != "" {
		t.FirstBeat, t.NextBeat = 20, 10
	}
	if os.Getenv("TEST_SHORT_PATIENCE") != "" {
		t.Original, t.Stop = 100*time.Millisecond, 50*time.Millisecond
	}
	return t
}

// actAgent behaves as <root>/act/<version> says.
func actAgent(p pointer.Paths, version string) {
	child, ok := launcher.Attach()
	if !ok {
		tell(p, "unattached", version)
		return
	}
	act, _ := os.ReadFile(filepath.Join(p.Root, "act", version))
	tell(p, "start", version, fmt.Sprint(child.Sequence()), os.Getenv(launcher.StartVariable))
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	stop := child.Stop()
	switch string(act) {
	case "fault": // a code that on every system is the program's own doing
		os.Exit(3)
	case "die":
		os.Exit(1)
	case "flood":
		line := strings.Repeat("flood ", 1000) + "\n"
		for range 5000 { // 60 MB
			_, _ = os.Stdout.WriteString(line)
			_, _ = os.Stderr.WriteString(line)
		}
		tell(p, "flooded", version)
	case "trace":
		for n := range 500 {
			fmt.Fprintln(os.Stderr, "goroutine", n)
		}
		os.Exit(2)
	case "mute":
		select {}
	case "hang":
		child.Beat()
		select {}
	case "deaf":
		stop, term = nil, nil
	}
	for {
		child.Beat()
		if _, lost, _ := child.KeepLock(); lost {
			tell(p, "displaced", version)
			return
		}
		select {
		case <-stop:
			if child.LauncherGone() {
				tell(p, "orphan", version)
				_, _ = launcher.Revive(p)
			}
			tell(p, "leave", version)
			return
		case <-term:
			tell(p, "leave", version)
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func versionOf(p pointer.Paths, exe string) string {
	if exe == p.Worker() {
		return pointer.Floor
	}
	return filepath.Base(filepath.Dir(exe))
}

// tell appends one event: what, who, process id, more.
func tell(p pointer.Paths, what, who string, more ...string) {
	f, err := os.OpenFile(filepath.Join(p.Root, "events"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	fmt.Fprintln(f, what, who, os.Getpid(), strings.Join(more, " "))
}
