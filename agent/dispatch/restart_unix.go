//go:build unix

package dispatch

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
)

// RestartMachine asks the system to restart in a minute (docs/protocol/runcommand.md, "Reboot asked for by a step").
func RestartMachine(ctx context.Context) error {
	if out, err := exec.CommandContext(ctx, "/sbin/shutdown", "-r", "+1").CombinedOutput(); err != nil {
		return fmt.Errorf("/sbin/shutdown -r +1: %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}
