package host

import (
	"context"
	"os/exec"
	"strings"
	"time"
)

func platform() (name, version string, err error) {
	if name, err = swVers("-productName"); err != nil {
		return "", "", err
	}
	version, err = swVers("-productVersion")
	return name, version, err
}

func swVers(flag string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "/usr/bin/sw_vers", flag).Output() //nolint:gosec // fixed flags
	return strings.TrimSpace(string(out)), err
}
