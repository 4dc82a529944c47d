//go:build linux || windows

package launcher_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/launcher"
)

// original starts a program that is not of ours, without arguments, in the place of one of ours. change completes the call.
func (m *machine) original(file string, change func(*exec.Cmd)) (end func()) {
	m.Helper()
	program, err := os.ReadFile(file)
	m.ok(err)
	m.ok(os.Remove(file))
	m.ok(os.WriteFile(file, bytes.ReplaceAll(program, []byte(launcher.Mark), []byte("some-other/program/altogether")[:28]), 0o755))
	cmd := exec.Command(file)
	change(cmd)
	cmd.Env = append(os.Environ(), "TEST_ORIGINAL=1")
	in, err := cmd.StdinPipe()
	m.ok(err)
	m.ok(cmd.Start())
	m.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return func() { m.Helper(); m.ok(in.Close()); _ = cmd.Wait() }
}

// waitsFor has a launcher that was started beside an original start its agent when that one ends, and not before.
func (m *machine) waitsFor(end func()) {
	m.Helper()
	m.until("one that waits", func() bool {
		log, _ := os.ReadFile(filepath.Join(m.Root, "log"))
		return strings.Contains(string(log), "an original agent is running")
	})
	if n := m.count("start floor 1"); n != 0 {
		m.Error("an agent was started beside it")
	}
	end()
	m.await("start floor 1", 1)
}

// A program that is not of ours under our names, without arguments: an original's main program, or its worker that was left over.
func TestForeignProgramsAreWaitedFor(t *testing.T) {
	for name, path := range map[string]func(*machine) string{
		"main":   func(m *machine) string { return m.Launcher() },
		"worker": func(m *machine) string { return m.Worker() },
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachineAlone(t)
			file := path(m)
			end := m.original(file, func(*exec.Cmd) {})
			if file == m.Launcher() { // a package replaces it while it runs
				if os.Remove(file) != nil { // Windows
					m.ok(os.Rename(file, file+".old"))
				}
				m.plant(file)
			}
			m.launch()
			m.waitsFor(end)
		})
	}
}
