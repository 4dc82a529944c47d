package service

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
)

// slowRestart is the wait from which on a service manager that starts a killed launcher again is worth a warning.
const slowRestart = 10 * time.Second

// unitFolder is where an administrator's additions to the unit lie; ours lie beside the packaged unit.
const unitFolder = "/etc/systemd/system/amazon-ssm-agent.service.d"

// additions are what ours say; the packages carry the same (installer/pack/assets/common/ssm-setup.conf).
//
//nolint:lll // the file's own line
const additions = `# Additions to amazon-ssm-agent.service: the agent comes back at once, however often, and one greedy command does not end it.
[Unit]
StartLimitIntervalSec=0

[Service]
RestartSec=1
OOMPolicy=continue
`

// SlowRestart tells how long systemd waits before it starts a killed launcher again, where that is long: its unit is then without the
// additions of ours. 0: it is not, or the installation has no systemd that could be asked.
func SlowRestart(ctx context.Context, l installer.Layout) time.Duration {
	if _, err := os.Stat("/run/systemd/system"); err != nil || !l.System() {
		return 0
	}
	ctx, cancel := context.WithTimeout(ctx, slowRestart)
	defer cancel()
	out, err := systemctl(ctx, "show", "--property=LoadState,RestartUSec", Name()).Output()
	if err != nil {
		return 0
	}
	return slowIn(string(out))
}

// systemctl is a call of that program, without the variables of the shell, and in the language that is read here.
func systemctl(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "systemctl", args...)
	cmd.Env = host.CleanEnvironment(nil, "", "LC_ALL=C")
	return cmd
}

// slowIn reads what systemctl shows: RestartUSec=1min 30s.
func slowIn(shown string) time.Duration {
	if !strings.Contains(shown, "LoadState=loaded\n") {
		return 0
	}
	for line := range strings.Lines(shown) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "RestartUSec="); ok {
			text = strings.NewReplacer("min", "m", " ", "").Replace(text)
			if d, err := time.ParseDuration(text); err == nil && d >= slowRestart {
				return d
			}
		}
	}
	return 0
}

// HastenRestart adds what the unit lacks, beside what an administrator has added, and has systemd read it. It changes nothing where
// [SlowRestart] finds nothing.
func HastenRestart(ctx context.Context, l installer.Layout) (changed bool, err error) {
	if SlowRestart(ctx, l) == 0 {
		return false, nil
	}
	if err := os.MkdirAll(unitFolder, 0o755); err != nil {
		return false, err
	}
	if err := host.WriteFile(filepath.Join(unitFolder, "ssm-setup.conf"), []byte(additions), 0o644); err != nil {
		return false, err
	}
	if out, err := systemctl(ctx, "daemon-reload").CombinedOutput(); err != nil {
		return true, fmt.Errorf("systemctl daemon-reload: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return true, nil
}
