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

// A program that is not of ours under our names, without arguments: an original's main program, or its worker that was left over.
func TestForeignProgramsAreWaitedFor(t *testing.T) {
	for name, path := range map[string]func(*machine) string{
		"main":   func(m *machine) string { return m.Launcher() },
		"worker": func(m *machine) string { return m.Worker() },
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachineAlone(t)
			file := path(m)
			program, err := os.ReadFile(file)
			m.ok(err)
			m.ok(os.Remove(file))
			m.ok(os.WriteFile(file, bytes.ReplaceAll(program, []byte(launcher.Mark), []byte("some-other/program/altogether")[:28]), 0o755))
			original := exec.Command(file)
			original.Env = append(os.Environ(), "TEST_ORIGINAL=1")
			in, err := original.StdinPipe()
			m.ok(err)
			m.ok(original.Start())
			t.Cleanup(func() { _ = original.Process.Kill(); _ = original.Wait() })
			if file == m.Launcher() { // a package replaces it while it runs
				if os.Remove(file) != nil { // Windows
					m.ok(os.Rename(file, file+".old"))
				}
				m.plant(file)
			}
			m.launch()
			m.until("one that waits", func() bool {
				log, _ := os.ReadFile(filepath.Join(m.Root, "log"))
				return strings.Contains(string(log), "an original agent is running")
			})
			if n := m.count("start floor 1"); n != 0 {
				t.Error("an agent was started beside it")
			}
			m.ok(in.Close())
			_ = original.Wait()
			m.await("start floor 1", 1)
		})
	}
}
