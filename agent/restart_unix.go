//go:build unix

package agent

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
)

// restart asks the system to restart in a minute (docs/protocol/runcommand.md, "Reboot").
func restart(ctx context.Context) error {
	if out, err := exec.CommandContext(ctx, "/sbin/shutdown", "-r", "+1").CombinedOutput(); err != nil {
		return fmt.Errorf("/sbin/shutdown -r +1: %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}
