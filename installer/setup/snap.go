package setup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
)

// SnapAgent is where an agent lies that was installed by snap.
const SnapAgent = "/snap/amazon-ssm-agent/current/amazon-ssm-agent"

// removeSnap removes an agent that snap installed. Exit code 10 says that snap refreshes something right now: up to four more
// tries, with a pause before each; any other code ends it.
func removeSnap(ctx context.Context, pause time.Duration) error {
	for try := 1; ; try++ {
		cmd := exec.CommandContext(ctx, "snap", "remove", "amazon-ssm-agent")
		cmd.Env = CleanEnvironment(installer.At(""))
		out, err := cmd.CombinedOutput()
		if err == nil {
			return nil
		}
		var exit *exec.ExitError
		if try == 5 || !errors.As(err, &exit) || exit.ExitCode() != 10 {
			return fmt.Errorf("snap remove amazon-ssm-agent: %w: %s", err, bytes.TrimSpace(out))
		}
		if err := host.Sleep(ctx, pause); err != nil {
			return err
		}
	}
}
