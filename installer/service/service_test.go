//go:build linux || windows

package service_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
	"github.com/ssm-setup/ssm-setup/installer/service"
	"github.com/ssm-setup/ssm-setup/installer/store"
)

// The test binary, linked into a throwaway root, is launcher and agent.
func TestMain(m *testing.M) {
	exe, _ := os.Executable()
	switch strings.TrimSuffix(filepath.Base(exe), ".exe") {
	case "amazon-ssm-agent":
		os.Exit(launcher.Main(os.Args))
	case "ssm-agent-worker":
		child, ok := launcher.Attach()
		if !ok {
			os.Exit(1)
		}
		child.Beat()
		<-child.Stop()
		if child.LauncherGone() {
			layout, _ := installer.Of(exe)
			_, _ = launcher.Revive(layout.Pointer())
		}
	default:
		os.Exit(m.Run())
	}
}

func newLayout(t *testing.T) installer.Layout {
	t.Helper()
	l := installer.At(filepath.Join(t.TempDir(), "root"))
	exe, err := os.Executable()
	ok(t, err)
	ok(t, os.MkdirAll(l.BinDir(), 0o755))
	for _, path := range []string{l.Launcher(), l.Worker()} {
		if runtime.GOOS == "windows" || os.Link(exe, path) != nil { // there a process may show the other name
			data, err := os.ReadFile(exe)
			ok(t, err)
			ok(t, os.WriteFile(path, data, 0o755))
		}
	}
	ok(t, store.Store{Paths: l.Pointer()}.MakeSlots("9.0.0.0"))
	return l
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestADetachedServiceStartsAndStops(t *testing.T) {
	l := newLayout(t)
	s := service.Of(l)
	ctx := context.Background()
	t.Cleanup(func() { _ = s.Stop(ctx) })
	if st, err := s.Status(); err != nil || st.Running || !st.Installed || st.Kind != "none" {
		t.Errorf("before: %+v, %v", st, err)
	}
	ok(t, s.Stop(ctx)) // stopping what does not run is no error
	ok(t, s.Start(ctx))
	ok(t, s.Start(ctx)) // nor is starting what runs
	st, err := s.Status()
	if err != nil || !st.Running || st.PID == 0 {
		t.Fatalf("running: %+v, %v", st, err)
	}
	agent := awaitAgent(t, l) // the launcher has put its id into the pid file by then
	if text, err := os.ReadFile(l.PidFile()); err != nil || strings.TrimSpace(string(text)) != strconv.Itoa(st.PID) {
		t.Errorf("pid file %q, %v; want %d", text, err, st.PID)
	}
	ok(t, s.Restart(ctx))
	if now, err := s.Status(); err != nil || !now.Running || now.PID == st.PID {
		t.Errorf("restarted: %+v, %v", now, err)
	}
	if host.Alive(agent) {
		t.Error("the first agent lives on")
	}
	awaitAgent(t, l)
	ok(t, s.Stop(ctx))
	if now, err := s.Status(); err != nil || now.Running {
		t.Errorf("stopped: %+v, %v", now, err)
	}
	if _, err := os.Stat(l.PidFile()); !os.IsNotExist(err) {
		t.Errorf("pid file: %v", err)
	}
	if log, err := os.ReadFile(l.LaunchLog()); err != nil || !strings.Contains(string(log), "started agent ") {
		t.Errorf("log %q, %v", log, err)
	}
}

func awaitAgent(t *testing.T, l installer.Layout) (pid int) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if pid, running := launcher.AgentRunning(l.Pointer()); running {
			return pid
		}
	}
	t.Fatal("no agent came")
	return 0
}

func TestADetachedServiceThatCannotStartSaysWhy(t *testing.T) {
	l := newLayout(t)
	ok(t, os.Remove(l.Launcher()))
	s := service.Of(l)
	if st, err := s.Status(); err != nil || st.Installed {
		t.Errorf("%+v, %v", st, err)
	}
	if err := s.Start(context.Background()); err == nil {
		t.Error("started nothing")
	}
}

func TestADetachedLauncherThatEndsAtOnceIsAnErrorWithItsLog(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("wine never gives back a file that turned out to be no program, and the folder could not be removed")
	}
	l := installer.At(t.TempDir())
	ok(t, os.MkdirAll(filepath.Dir(l.Launcher()), 0o755))
	s := service.Of(l)
	ok(t, os.WriteFile(l.Launcher(), []byte("#!/bin/sh\nexit 3\n"), 0o755))
	if err := s.Start(context.Background()); err == nil || !strings.Contains(err.Error(), "ended at once") {
		t.Errorf("a launcher that ends at once: %v", err)
	}
}

func TestTheSystemsStatusIsOnlyAsked(t *testing.T) {
	if _, err := service.Of(installer.At("/")).Status(); err != nil {
		t.Error(err)
	}
}
