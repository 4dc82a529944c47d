package plugins

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// runPowerShellScript runs commands with PowerShell (docs/protocol/runcommand.md, "aws:runPowerShellScript").
func runPowerShellScript(ctx context.Context, c Call) Exit {
	return runScript(ctx, c, language{
		file:        "_script.ps1",
		prefix:      "\xEF\xBB\xBF",
		command:     powerShell(runtime.GOOS),
		environment: powerShellEnvironment(runtime.GOOS),
	})
}

// powerShell says how a script is started on a system.
func powerShell(system string) func(script string) (string, []string) {
	return func(script string) (string, []string) {
		switch system {
		case windows:
			root := os.Getenv("SystemRoot")
			return filepath.Join(root, "System32", "WindowsPowerShell", "v1.0", "powershell.exe"), []string{
				"-InputFormat", "None", "-Noninteractive", "-NoProfile", "-ExecutionPolicy", "unrestricted", "-f", script}
		case mac:
			return "/usr/local/bin/pwsh", []string{"-f", script}
		}
		if _, err := os.Stat("/usr/bin/powershell"); err == nil {
			return "/usr/bin/powershell", []string{"-f", script}
		}
		return "/usr/bin/pwsh", []string{"-f", script}
	}
}

// powerShellEnvironment: outside Windows PowerShell needs a HOME, and a terminal type makes it write escape codes.
func powerShellEnvironment(system string) func([]string) []string {
	return func(env []string) []string {
		if system == windows {
			return env
		}
		if i := slices.IndexFunc(env, func(e string) bool { return strings.Contains(e, "TERM") }); i >= 0 {
			env = slices.Delete(env, i, i+1)
		}
		return append(env, "HOME=/")
	}
}
