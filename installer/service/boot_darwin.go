package service

import (
	"context"
	"os/exec"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// boot asks launchd.
func boot(ctx context.Context) string {
	cmd := exec.CommandContext(ctx, "/bin/launchctl", "print-disabled", "system")
	cmd.Env = host.CleanEnvironment(nil, "")
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	return bootOf(string(out))
}

// bootOf reads what launchctl print-disabled lists: "label" => disabled, on older systems "label" => true. A job that is not listed is
// as its package installed it, enabled.
func bootOf(list string) string {
	for line := range strings.Lines(list) {
		label, state, ok := strings.Cut(strings.TrimSpace(line), " => ")
		if ok && strings.Trim(label, `"`) == Name() && (state == "disabled" || state == "true") {
			return Disabled
		}
	}
	return Enabled
}
