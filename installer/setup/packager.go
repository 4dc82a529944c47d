package setup

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// install puts a package in. An older one than is there replaces it only where the package manager can do so in one step;
// Windows Installer refuses, so the newer one goes first.
func (p Packaging) install(ctx context.Context, l installer.Layout, file string, v manifests.Version, older bool) error {
	if p.Name == archive.Name {
		return installTree(l, file, v)
	}
	if older && p.removesNewer {
		if err := runAll(ctx, p.commands(p.remove)); err != nil {
			return err
		}
	}
	return runPackager(ctx, filled(p.add, file)...)
}

// commands are what a command stands for: itself, or one for each product that Windows lists as ours.
func (p Packaging) commands(command []string) (list [][]string) {
	if !slices.Contains(command, "{}") {
		return [][]string{command}
	}
	query := exec.Command("reg", "query", uninstallKey, "/s") //nolint:noctx // it takes milliseconds
	query.Env = CleanEnvironment(installer.At(""))
	out, err := query.Output()
	if err != nil {
		return nil
	}
	for _, code := range productCodes(string(out)) {
		list = append(list, filled(command, code))
	}
	return list
}

// filled is a command with a value in the place of {}.
func filled(command []string, value string) []string {
	out := slices.Clone(command)
	for i := range out {
		if out[i] == "{}" {
			out[i] = value
		}
	}
	return out
}

func runAll(ctx context.Context, commands [][]string) error {
	for _, command := range commands {
		if err := runPackager(ctx, command...); err != nil {
			return err
		}
	}
	return nil
}

// uninstallKey is where Windows lists what is installed.
const uninstallKey = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall`

// productCodes finds the agent's products in what reg query prints: a line with a key, then a line per value.
func productCodes(list string) (codes []string) {
	code := ""
	for line := range strings.Lines(list) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "HKEY_") {
			code = line[strings.LastIndex(line, `\`)+1:]
			continue
		}
		name, value, _ := strings.Cut(line, "REG_SZ")
		if strings.TrimSpace(name) == "DisplayName" && strings.TrimSpace(value) == "Amazon SSM Agent" && strings.HasPrefix(code, "{") {
			codes = append(codes, code)
		}
	}
	return codes
}

// needsRestart is Windows Installer's exit code for "done, but the machine must be restarted"; no other program's is that high.
const needsRestart = 3010

func runPackager(ctx context.Context, command ...string) error {
	_, err := Packager(ctx, command...)
	return err
}

// Packager runs a command of a package manager and returns what it printed; its last lines go into the error. One that has begun is not
// interrupted, also not from the keyboard: half a package, or a damaged database of packages, is worse than waiting.
func Packager(ctx context.Context, command ...string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	cmd := exec.Command(command[0], command[1:]...) //nolint:noctx // see above
	newSession(cmd)
	cmd.Env = CleanEnvironment(installer.At(""), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8") // no activation, no credentials
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if err == nil || cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == needsRestart {
		return out.String(), nil
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	return out.String(), fmt.Errorf("%w: %s: %w: %s", ErrPackager, strings.Join(command[:min(2, len(command))], " "), err,
		strings.Join(lines[max(0, len(lines)-5):], "; "))
}
