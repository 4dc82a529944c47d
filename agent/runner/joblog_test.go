//go:build unix

package runner_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/runner"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("no ", what)
		}
	}
}

// prepared is a job whose script runs until the file "go" lies in its folder, or the folder is gone, and then says "end".
func prepared(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "job")
	gate := filepath.Join(dir, "go")
	commands := []any{"while [ -d " + dir + " ] && [ ! -e " + gate + " ]; do sleep 0.01; done", "echo end"}
	if err := runner.Prepare(dir, shell(t, map[string]any{"runCommand": commands})); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.WriteFile(gate, nil, 0o600) })
	return dir
}

func touch(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAWorkerThatFloodsFillsNoDiskAndIsNotHeldUp(t *testing.T) {
	t.Setenv(behaviourVariable, "flood")
	dir := prepared(t)
	w, err := runner.Start(t.Context(), spec(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	touch(t, dir, "go")
	events := all(t, w)
	if end := events[len(events)-1]; end.Status != wire.Success {
		t.Errorf("%+v", end)
	}
	await(t, "word of it in the log", func() bool { return strings.Contains(readFile(t, dir, "log"), "prints too much") })
	if n := len(readFile(t, dir, "log")); n > 70<<10 {
		t.Errorf("%d bytes in the log", n)
	}
}

// left is a job at work whose agent has gone.
func left(t *testing.T, behaviour string) (dir string) {
	t.Helper()
	dir = prepared(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	agent := exec.CommandContext(t.Context(), self)
	agent.Env = append(os.Environ(), briefAgent+"="+dir, behaviourVariable+"="+behaviour)
	if out, err := agent.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return dir
}

// What reads its output is gone with the agent.
func TestAWorkerThatTalksOutlivesItsAgent(t *testing.T) {
	dir := left(t, "talk")
	touch(t, dir, "left")
	await(t, "talk", func() bool { return there(dir, "talked") })
	touch(t, dir, "go")
	w, err := runner.Attach(t.Context(), spec(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	events := all(t, w)
	if end := events[len(events)-1]; end.Status != wire.Success || end.Forced || end.Result.StandardOutput != "end\n" {
		t.Errorf("%+v", end)
	}
}

func TestTheCrashOfAWorkerIsInItsLogWithAndWithoutItsAgent(t *testing.T) {
	t.Run("with", func(t *testing.T) {
		t.Setenv(behaviourVariable, "crash")
		dir := prepared(t)
		w, err := runner.Start(t.Context(), spec(t, dir))
		if err != nil {
			t.Fatal(err)
		}
		touch(t, dir, "crash")
		crashed(t, w, dir)
	})
	t.Run("without", func(t *testing.T) {
		if runtime.GOOS != "linux" {
			t.Skip("only Linux tells which files a process has open")
		}
		dir := left(t, "crash alone")
		w, err := runner.Attach(t.Context(), spec(t, dir))
		if errors.Is(err, runner.ErrNotStarted) {
			t.Fatal(err)
		}
		crashed(t, w, dir)
	})
}

func crashed(t *testing.T, w *runner.Worker, dir string) {
	t.Helper()
	events := all(t, w)
	if end := events[len(events)-1]; !end.Forced {
		t.Errorf("%+v", end)
	}
	if text := readFile(t, dir, "log"); !strings.Contains(text, "panic: told to") {
		t.Errorf("log says %q", text)
	}
}
