//go:build !linux

package setupcli

import (
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/service"
)

// countLaunchers asks the service: its manager runs one launcher or none.
func countLaunchers(l installer.Layout) (int, error) {
	status, err := service.Of(l).Status()
	if err != nil || !status.Running {
		return 0, err
	}
	return 1, nil
}
