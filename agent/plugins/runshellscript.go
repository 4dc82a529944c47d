package plugins

import (
	"context"
	"os/exec"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// runShellScript runs commands as one script with the system's sh (docs/protocol/runcommand.md, "aws:runShellScript"). The shell
// executes the file by name, so a first line "#!..." chooses another interpreter.
func runShellScript(ctx context.Context, c Call) Exit {
	return runScript(ctx, c, language{
		file: "_script.sh",
		command: func(script string) (string, []string) {
			if host.NoExec(script) {
				return interpreter(script)
			}
			sh, err := exec.LookPath("sh")
			if err != nil {
				sh = "sh"
			}
			return sh, []string{"-c", quote(script)}
		},
	})
}

// quote leaves the paths of a normal installation as they are; others would break at their spaces.
func quote(path string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+,@%=", r)
	}
	if strings.IndexFunc(path, func(r rune) bool { return !plain(r) }) < 0 {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
